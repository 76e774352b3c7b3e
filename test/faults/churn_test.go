//go:build faults && linux

package faults

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Fifty changes a second, one in twenty a fault: what it needs stays the same,
// and all of it agrees when it is over. A tenth of the agents is on a file
// system that fails half of the time.
func TestChurn(t *testing.T) {
	w := newWorld(t, "resync-interval", "200ms", "probe-timeout", "500ms")
	w.tmpfs(w.path("disk"), "size=1g")
	w.on(w.path("disk"))
	source, shown := w.path("disk/source"), w.project("g0")
	f := w.faulty(source, shown)
	d := w.launch()
	const hands = 25 // each waits for the answers to its orders, a third of its time
	v := newDriver(w, d, *agents, hands*12*time.Millisecond, editing, editing, editing, moving, orders, orders, []operation{(*driver).spoil})
	v.behind = func(path string) string {
		if below, ok := strings.CutPrefix(path, shown+"/"); ok {
			return filepath.Join(source, below)
		}
		return path
	}
	v.lives = true
	d.awaitStart()
	w.sync("--full")
	before := d.atRest()
	stop := v.drive(hands)
	began := time.Now()
	var samples []sample
	for time.Since(began) < *churn {
		time.Sleep(*churn / 100)
		samples = append(samples, d.sample())
		f.suffer(trouble(len(samples))...)
		if !d.lives() {
			t.Fatalf("it ended with %d:\n%s", d.cmd.ProcessState.ExitCode(), d.said())
		}
	}
	stop()
	quarter := len(samples) / 4
	early, late := mean(samples[quarter:2*quarter]), mean(samples[3*quarter:])
	t.Logf("%d agents, %s, %.0f operations a second, %d orders acknowledged; 2nd quarter %v, 4th quarter %v",
		*agents, *churn, float64(v.done.Load())/churn.Seconds(), v.acked.Load(), early, late)
	// Orders under way have some of each, and are more on a busy machine.
	if late.threads > early.threads+5 || late.rss > early.rss*1.15+8<<20 {
		t.Error("threads or memory grow")
	}

	f.suffer()
	w.converges() // and finishes what an order could not take back
	v.look()
	w.sync() // after the last repairs of look
	v.converged()
	after := d.atRest()
	t.Logf("at rest before: %v, after: %v", before, after)
	if after.goroutines > before.goroutines+5 || after.descriptors > before.descriptors+5 {
		t.Error("goroutines or descriptors are left")
	}
	d.awaitReady(true, patience)
	d.stop()
}

// trouble are the rules of a moment.
func trouble(n int) []string {
	if n%2 == 0 {
		return nil
	}
	list := []string{
		fail("lookup", syscall.EIO), fail("lookup", syscall.EACCES), fail("open", syscall.ESTALE), fail("read", syscall.EIO),
		fail("readdir", syscall.EIO), fail("lookup", syscall.ENODEV), "lookup delay:700",
	}
	return list[rand.IntN(len(list)):][:1]
}

// sample is what the process needs at a moment.
type sample struct{ goroutines, descriptors, threads, rss float64 }

func (s sample) String() string {
	return fmt.Sprintf("%.1f goroutines, %.1f descriptors, %.1f threads, %.1f MB", s.goroutines, s.descriptors, s.threads, s.rss/(1<<20))
}

func (d *daemon) sample() sample {
	d.w.t.Helper()
	return sample{d.metric("go_goroutines"), float64(d.descriptors()), float64(d.status("Threads")), float64(d.status("VmRSS")) * 1024}
}

// atRest is the least that it needs within some seconds in which nobody asks for
// anything: sweeps come and go.
func (d *daemon) atRest() sample {
	d.w.t.Helper()
	least := d.sample()
	for range 50 {
		time.Sleep(60 * time.Millisecond)
		s := d.sample()
		least.goroutines, least.descriptors = min(least.goroutines, s.goroutines), min(least.descriptors, s.descriptors)
		least.threads, least.rss = min(least.threads, s.threads), min(least.rss, s.rss)
	}
	return least
}

func mean(list []sample) (m sample) {
	n := float64(len(list))
	for _, s := range list {
		m.goroutines += s.goroutines / n
		m.descriptors += s.descriptors / n
		m.threads += s.threads / n
		m.rss += s.rss / n
	}
	return m
}
