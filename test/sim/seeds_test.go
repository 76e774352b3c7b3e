package sim

import (
	"flag"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

var (
	seeds   = flag.Int("seeds", 50, "how many runs, from the first seed on")
	seed    = flag.Uint64("seed", 1, "the first seed")
	steps   = flag.Int("steps", 60, "steps of a run")
	agents  = flag.Int("agents", 10, "agents that a run begins with")
	shrinks = flag.Int("shrinks", 300, "runs that shrinking a failure may take")
	trail   = flag.Bool("trail", false, "print everything that happens")
)

func TestSeeds(t *testing.T) {
	var sum tally
	t.Cleanup(func() { t.Log(&sum) })
	for i := range *seeds {
		n := *seed + uint64(i)
		t.Run("seed="+itoa(int(n)), func(t *testing.T) {
			t.Parallel()
			s, r := draw(t, n, *steps, *agents)
			sum.add(s, &r)
			if r.err != nil {
				t.Errorf("seed %d, step %d: %v", n, len(s.steps), r.err)
				small, err := shrink(t, s)
				t.Errorf("shrunk: %v\n%s", err, small)
			}
		})
	}
}

// draw makes a run up while it goes on.
func draw(t *testing.T, seed uint64, steps, agents int) (*script, result) {
	u := newUsers(seed, agents)
	s := &script{seed: seed, options: u.options()}
	var r result
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(s.seed, s.options)
		if *trail {
			w.log = t.Logf
		}
		u.w = w
		w.start()
		take := func(l line) {
			s.steps = append(s.steps, l)
			w.step(l)
		}
		for _, l := range u.begin() {
			take(l)
		}
		for range steps {
			if w.failed != nil {
				break
			}
			take(u.next())
		}
		if w.failed == nil {
			w.settle()
		}
		w.crash()
		r.end(w)
	})
	return s, r
}

// options of a run.
func (u *users) options() controller.Options {
	o := baseOptions()
	pick := func(list ...time.Duration) time.Duration { return list[u.IntN(len(list))] }
	o.ResyncInterval = pick(10*time.Minute, 30*time.Minute, time.Hour)
	o.OrphanGrace = pick(time.Hour, 6*time.Hour, 24*time.Hour)
	o.UnmountedGrace = pick(0, 96*time.Hour, 720*time.Hour)
	o.Settle = pick(time.Minute, time.Minute, 10*time.Minute)
	if u.IntN(4) == 0 {
		o.MassMissingRatio = 0
	}
	return o
}

func TestOneSeedIsOneRun(t *testing.T) {
	for n := range uint64(5) {
		s, drawn := draw(t, n, 100, 10)
		told := run(t, s, nil)
		if drawn.trace != told.trace {
			t.Errorf("seed %d: drawn %+v, told %+v", n, drawn.trace, told.trace)
		}
		t.Logf("seed %d: %d lines", n, told.trace.lines)
	}
}

func TestScriptsAreReadAsTheyAreWritten(t *testing.T) {
	s, _ := draw(t, 1, 50, 5)
	text := s.String()
	again, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if again.String() != text {
		t.Errorf("written anew:\n%s\nwas:\n%s", again, text)
	}
	if !strings.Contains(text, "option orphan-grace") {
		t.Error("no options are written")
	}
}
