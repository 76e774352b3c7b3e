//go:build faults && linux

package faults

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// The power fails while editors save and orders are carried out. What was
// acknowledged is there when it is back, everything else is as before or as
// after, the index is whole, and one sync makes all of it agree.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	needs(t, "xfs_io")
	for _, c := range []struct {
		name, kind string
		log        bool
	}{
		{"xfs, all that was not synced is lost", "xfs", false},
		{"xfs, the log is kept", "xfs", true},
		{"ext4, all that was not synced is lost", "ext4", false},
		{"ext4, the log is kept", "ext4", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "resync-interval", "50ms")
			l := w.loop(c.kind, w.path("disk"))
			w.on(l.target)
			d := w.launch()
			v := newDriver(w, d, 20, time.Millisecond, editing, orders)
			began, n := time.Now(), max(1, *cuts/4)
			for i := 1; i <= n; i++ {
				d.awaitStart()
				stop := v.drive(6)
				v.awaitOrder()
				time.Sleep(time.Duration(rand.Int64N(int64(400 * time.Millisecond))))
				v.dark.Store(true)
				l.cut(c.log)
				d.kill()
				stop()
				v.dark.Store(false)
				l.again()
				v.look()
				w.sync()
				v.converged()
				if t.Failed() {
					t.Fatalf("after %d cuts", i)
				}
				d.spawn()
			}
			d.kill()
			t.Logf("%d cuts, %d operations, %d orders acknowledged, %s", n, v.done.Load(), v.acked.Load(), time.Since(began).Round(time.Second))
		})
	}
}

// A power cut soon after a write is no restored backup: clocks go on, and what
// was ordered is carried on.
func TestPowerCutIsNoRestore(t *testing.T) {
	needs(t, "xfs_io")
	w := newWorld(t)
	l := w.loop("ext4", w.path("disk"))
	w.on(l.target)
	w.fleet(w.projects, 3)
	w.sync()
	w.must(os.RemoveAll(w.project("p001")))
	w.must(syncDir(w.projects))
	w.sync()
	since := w.agents()[agentID(1)].MissingSince
	l.cut(true)
	l.again()
	w.sync()
	if now := w.agents()[agentID(1)].MissingSince; now == nil || since == nil || *now != *since {
		t.Errorf("missing since %v, was %v", deref(now), deref(since))
	}
	if got := w.cell("SELECT count(*) FROM mesh_controller_meta WHERE key LIKE 'lost%'"); got != "0" {
		t.Error("the index is taken for lost")
	}
}

func deref(s *string) string {
	if s == nil {
		return "never"
	}
	return *s
}
