package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestStepMovesTheWallOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{0, 1, -1, time.Hour, -time.Hour, 400 * 24 * time.Hour, -1500 * time.Millisecond} {
			now := time.Now()
			then := shiftWall(now, d)
			if moved := then.Sub(now); moved != 0 {
				t.Errorf("%v: the monotonic clock moved by %v", d, moved)
			}
			if want := now.Round(0).Add(d); !then.Round(0).Equal(want) {
				t.Errorf("%v: the wall shows %v, want %v", d, then.Round(0), want)
			}
			if later := then.Add(time.Minute); later.Sub(now) != time.Minute || !later.Round(0).Equal(now.Round(0).Add(d+time.Minute)) {
				t.Errorf("%v: a minute later it is %v", d, later)
			}
		}
	})
}
