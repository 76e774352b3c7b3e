//go:build faults && linux

package faults

import (
	"math/rand/v2"
	"testing"
	"time"
)

// One look at everything per so many kills.
const killsPerLook = 25

// The daemon is killed again and again, some ten times a second, at whatever it
// does, while 200 agents are edited, moved, copied, deleted, registered,
// updated and unregistered. No manifest is lost or half-written, the index is
// whole, and one sweep makes all of it agree.
func TestKillUnderChurn(t *testing.T) {
	w := newWorld(t, "resync-interval", "50ms")
	w.tmpfs(w.path("disk"), "size=512m")
	w.on(w.path("disk"))
	d := w.launch()
	v := newDriver(w, d, 200, 60*time.Millisecond, editing, moving, orders)
	stop := v.drive(6)
	began := time.Now()
	for n := 1; n <= *kills; n++ {
		if n%2 == 0 {
			d.awaitStart() // the others die on their way
		}
		if n%10 == 0 {
			v.awaitOrder()
		}
		time.Sleep(time.Duration(rand.Int64N(int64(100 * time.Millisecond))))
		if !d.lives() {
			t.Fatalf("kill %d: it ended with %d:\n%s", n, d.cmd.ProcessState.ExitCode(), d.said())
		}
		d.kill()
		if n%killsPerLook == 0 || n == *kills {
			stop()
			v.look()
			w.sync()
			v.converged()
			if t.Failed() {
				t.Fatalf("after %d kills", n)
			}
			t.Logf("%d kills, %d operations, %d orders acknowledged, %s", n, v.done.Load(), v.acked.Load(), time.Since(began).Round(time.Second))
			stop = v.drive(6)
		}
		d.spawn()
	}
	stop()
}
