package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTheClocksGoTheirOwnWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		c := processClock{m: m, began: time.Now()}
		for _, tc := range []struct {
			name string
			do   func()
			wall, monotonic, passed,
			step time.Duration
		}{
			{"time passes", func() { time.Sleep(time.Hour) }, time.Hour, time.Hour, time.Hour, 0},
			{"forward", func() { m.set(500 * 24 * time.Hour) }, 500 * 24 * time.Hour, 0, 0, 500 * 24 * time.Hour},
			{"back", func() { m.set(-1500 * time.Millisecond) }, -1500 * time.Millisecond, 0, 0, -1500 * time.Millisecond},
			{"sleep", func() { m.sleep(time.Minute) }, time.Minute, 0, time.Minute, 0},
		} {
			now, passed := c.Now(), m.passed()
			stamp, _ := c.Read()
			tc.do()
			if got := c.Now().Round(0).Sub(now.Round(0)); got != tc.wall {
				t.Errorf("%s: the wall clock went %v, want %v", tc.name, got, tc.wall)
			}
			if got := c.Now().Sub(now); got != tc.monotonic {
				t.Errorf("%s: the monotonic clock went %v, want %v", tc.name, got, tc.monotonic)
			}
			if got := m.passed() - passed; got != tc.passed {
				t.Errorf("%s: %v passed, want %v", tc.name, got, tc.passed)
			}
			again, _ := c.Read()
			if got := again.Offset - stamp.Offset; got != tc.step {
				t.Errorf("%s: the clock was set by %v, want %v", tc.name, got, tc.step)
			}
			if got := stamp.Elapsed(again); got != tc.passed && tc.step >= 0 {
				t.Errorf("%s: %v elapsed, want %v", tc.name, got, tc.passed)
			}
		}
	})
}
