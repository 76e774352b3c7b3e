package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// result is what came of a run.
type result struct {
	err   error
	trace trace
	// episodes that it had, and how long it took in the world.
	episodes episodes
	passed   time.Duration
	// steps that were taken before it failed.
	steps int
}

// run tells a script in a world of its own.
func run(t *testing.T, s *script, log func(string, ...any)) (r result) {
	synctest.Test(t, func(*testing.T) {
		w := newWorld(s.seed, s.options)
		if log != nil {
			w.log = log
		}
		w.start()
		for _, l := range s.steps {
			w.step(l)
			r.steps++
			if w.failed != nil {
				break
			}
		}
		if w.failed == nil {
			w.settle()
		}
		w.crash()
		r.end(w)
	})
	return r
}

// end takes down what came of a world.
func (r *result) end(w *world) {
	r.err, r.trace, r.episodes, r.passed = w.failed, w.trace, w.episodes, w.machine.passed()
}

// step takes one step of a script, and checks what must hold after it.
func (w *world) step(l line) {
	since := w.machine.wall()
	w.pass(l.wait)
	w.revive()
	w.mu.Lock()
	w.watch.overdue(since)
	if kind := w.episode(l.word, l.args); kind != "" {
		w.episodes[kind]++
	}
	w.note("# %s", l)
	w.mu.Unlock()
	switch do, known := words[l.word]; {
	case known && outside(l.word):
		do(w, l.args)
	case known:
		w.mu.Lock()
		do(w, l.args)
		w.mu.Unlock()
	case l.word == "meanwhile":
		w.meanwhile(number(l.args[0]), l.args[1], l.args[2:])
	case orders[l.word] != nil:
		w.order(l.word, l.args)
	default:
		panic("no such word: " + l.word)
	}
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.check()
}

// revive buries a process that crashed and starts another.
func (w *world) revive() {
	w.mu.Lock()
	dead := w.life != nil && w.life.dead
	w.mu.Unlock()
	if dead {
		w.crash()
		w.start()
	}
}

// check is what must hold after every step.
func (w *world) check() {
	w.watch.ruled()
	w.watch.letters("a step")
	w.watch.massDisappearances()
	paths := map[string]bool{}
	for id := range w.db.rows {
		if p := w.db.rows[id].Path; paths[p] {
			w.fail("S7", "%s is the path of two rows", p)
		} else {
			paths[p] = true
		}
	}
}
