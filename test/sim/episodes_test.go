package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// episodes count what befell a world, by kind.
type episodes map[string]int

// tally adds up the runs of a test.
type tally struct {
	mu    sync.Mutex
	runs  int
	steps int
	time  time.Duration
	of    episodes
}

func (t *tally) add(s *script, r *result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs++
	t.steps += len(s.steps)
	t.time += r.passed
	if t.of == nil {
		t.of = episodes{}
	}
	for kind, n := range r.episodes {
		t.of[kind] += n
	}
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(t.of)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, t.of[kind]))
	}
	return fmt.Sprintf("%d runs, %d steps, %.0f hours; %s", t.runs, t.steps, t.time.Hours(), strings.Join(kinds, ", "))
}

// episode is the kind that a word begins in the world as it is, "" for none.
func (w *world) episode(word string, a []string) string {
	switch word {
	case "unplug":
		if len(w.disk.mounts[a[0]]) > 0 {
			return "unmount"
		}
	case "plug":
		if stack := w.disk.mounts[a[0]]; len(stack) > 0 && stack[len(stack)-1].v.name != a[1] {
			return "mount over a mount"
		}
		if a[1] != points[a[0]] {
			return "another volume"
		}
	case "errno":
		if w.disk.errnos[a[0]] == "" {
			return a[1]
		}
	case "hang":
		if len(w.disk.mounts[a[0]]) > 0 && !w.disk.hangs[a[0]] {
			return "hang"
		}
	case "set-clock":
		return "clock jump"
	case "sleep":
		return "suspend"
	case "recover":
		if w.backups[a[0]] != nil {
			return "restored backup"
		}
	case "delete-index":
		return "lost index"
	case "crash", "crash-at":
		return "crash"
	}
	return ""
}

// massDisappearances counts the roots in which a mass disappearance began since
// the last step.
func (w *watch) massDisappearances() {
	for _, root := range scanRoots {
		held := w.massMissing(root)
		if held && !w.massed[root] {
			w.episodes["mass disappearance"]++
		}
		w.massed[root] = held
	}
}

// calm is the state of a world in which nothing keeps an orphan whose grace is
// over.
func (w *watch) calm() bool {
	return w.life != nil && !w.life.dead && !w.faults.armed() && len(w.disk.errnos)+len(w.disk.hangs) == 0 &&
		!w.busDown && !w.busBroken && !w.dorkOS && !w.db.paused && !w.db.lost && !w.lock.unclean
}

// overdue: after a time in which nothing happened, an orphan whose grace ended
// within it is gone, at most a sweep and 5 s late. The first part of that time is
// for what happened before it to come to rest.
func (w *watch) overdue(since time.Time) {
	if !w.calm() {
		return
	}
	interval := w.options.ResyncInterval + w.options.ResyncInterval/10
	rested := since.Add(interval + w.options.Settle)
	now := w.machine.wall()
	stamp, _ := processClock{m: w.machine}.Read()
	for id := range w.db.rows {
		row, st := w.db.rows[id], w.db.states[id]
		grace := w.options.OrphanGrace
		if st.Evidence == agent.VolumeGone {
			grace = w.options.UnmountedGrace
		}
		due := now.Add(grace - st.Clock.Elapsed(stamp))
		if !st.Missing() || grace == 0 || due.Before(rested) || now.Before(due.Add(interval+5*time.Second)) ||
			st.Paused || st.Held || w.visible(id) || w.massMissing(row.ScanRoot) || w.conceded(id) {
			continue
		}
		if n := w.disk.dir(row.Path); n != nil && n.file != nil && n.file.problem != nil {
			continue // nobody can tell
		}
		w.fail("late", "%s is still there at %v, its grace was over at %v", id, now, due)
	}
}
