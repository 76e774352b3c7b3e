//go:build faults && linux

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Whatever a file system answers but "it is not there" is no evidence: nobody
// becomes an orphan, nothing is removed, the others go on, and all is as before
// when it answers again. Project p000 suffers the first rule, and so on.
func TestFileSystemErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rules []string
	}{
		{"an errno each", []string{
			fail("lookup", syscall.EIO), fail("lookup", syscall.EACCES), fail("lookup", syscall.EPERM), fail("lookup", syscall.ESTALE),
			fail("lookup", syscall.ETIMEDOUT), fail("lookup", syscall.ENODEV), fail("lookup", syscall.ENXIO), fail("lookup", syscall.EHOSTDOWN),
			fail("lookup", syscall.ENOMEM), fail("lookup", syscall.ELOOP), fail("lookup", syscall.EMFILE),
			fail("open", syscall.EIO), fail("open", syscall.ESTALE), fail("open", syscall.EACCES), fail("read", syscall.EIO), fail("read", syscall.ESTALE),
		}},
		{"slower than the deadline", []string{"lookup delay:700", "lookup delay:900"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var rules []string
			for i, r := range c.rules {
				rules = append(rules, fmt.Sprintf("%s p%03d", r, i))
			}
			sufferFor(t, len(rules), rules...)
		})
	}
	t.Run("nothing of the volume can be read", func(t *testing.T) {
		sufferFor(t, 3, fail("lookup", syscall.EIO), fail("readdir", syscall.EIO), fail("getattr", syscall.EIO))
	})
}

// sufferFor lets n agents suffer for longer than their grace.
func sufferFor(t *testing.T, n int, rules ...string) {
	t.Helper()
	w := newWorld(t, append([]string{"probe-timeout", "400ms"}, mortal...)...)
	f := w.faulty(w.path("source"), w.project("volume"))
	w.fleet(w.path("source"), n)
	w.manifest(w.project("local"), "LOCAL", "")
	d := w.start()
	w.eachSays("active InSync", append(ids(n), "LOCAL")...)

	f.suffer(rules...)
	d.signal(syscall.SIGUSR1) // a full one: it reads, too
	w.eventually(func() error {
		if got := d.metric(`manifest_problems`); got != float64(n) {
			return fmt.Errorf("%v problems", got)
		}
		return nil
	})
	d.moreSweeps(2)
	time.Sleep(1500 * time.Millisecond) // past the grace
	w.manifest(w.project("local"), "LOCAL", "goes on")
	w.seen("LOCAL", "goes on")
	for _, id := range ids(n) {
		a := w.agents()[id]
		if a.Status != "active" || a.MissingSince != nil {
			t.Errorf("%s is %s, missing since %v", id, a.says(), a.MissingSince)
		}
	}
	d.healthy()
	if !d.ready() {
		t.Errorf("not ready: %s", d.get("/readyz").body)
	}

	f.suffer()
	w.converges()
	w.eachSays("active InSync", append(ids(n), "LOCAL")...)
	for _, e := range w.events() {
		if e.Reason != "Discovered" && e.Reason != "Drifted" && e.Reason != "Unknown" {
			t.Errorf("it happened: %+v", e)
		}
	}
}

// A slow file system is slow, and nothing else.
func TestSlowFileSystem(t *testing.T) {
	w := newWorld(t, mortal...)
	f := w.faulty(w.path("source"), w.project("volume"))
	w.fleet(w.path("source"), 3)
	f.suffer("lookup delay:30", "open delay:30", "read delay:30")
	d := w.start()
	w.manifest(w.path("source")+"/p001", agentID(1), "edited")
	w.seen(agentID(1), "edited")
	w.eachSays("active InSync", ids(3)...)
	if n := d.metric("manifest_problems"); n != 0 {
		t.Errorf("%v problems", n)
	}
}

// A lookup that wrongly says "not there" for a moment costs nobody anything.
func TestTransientAbsence(t *testing.T) {
	w := newWorld(t, append(mortal, "orphan-grace", "60s")...)
	f := w.faulty(w.path("source"), w.project("volume"))
	w.fleet(w.path("source"), 3)
	w.start()
	registered := w.cell("SELECT registered_at FROM agents WHERE id = ?", agentID(1))
	f.suffer(fail("lookup", syscall.ENOENT))
	w.eachSays("unreachable PathMissing", ids(3)...)
	f.suffer()
	w.eachSays("active InSync", ids(3)...)
	if got := w.cell("SELECT registered_at FROM agents WHERE id = ?", agentID(1)); got != registered {
		t.Errorf("registered at %s, was %s", got, registered)
	}
	w.neverRemoved()
}

// The file system's own process dies: ENOTCONN, which is no evidence either.
func TestFileSystemDies(t *testing.T) {
	w := newWorld(t, mortal...)
	f := w.faulty(w.path("source"), w.project("volume"))
	w.fleet(w.path("source"), 3)
	w.manifest(w.project("local"), "LOCAL", "")
	d := w.start()
	f.kill()
	if _, err := os.Stat(w.project("volume/p000")); err == nil {
		t.Fatal("the mount answers though its process is dead")
	}
	d.moreSweeps(6)
	w.manifest(w.project("local"), "LOCAL", "goes on")
	w.seen("LOCAL", "goes on")
	for id, a := range w.agents() {
		if a.Status != "active" || a.MissingSince != nil {
			t.Errorf("%s is %s", id, a.says())
		}
	}
	unmount(w.project("volume"))
	w.faulty(w.path("source"), w.project("volume"))
	w.sync()
	w.eachSays("active InSync", append(ids(3), "LOCAL")...)
	w.neverRemoved()
}

// One mount of three hangs, as a hard NFS mount does: no signal ends a call
// into it. Its own agents are Unknown; those of the others wait for nothing,
// threads do not pile up, and a stop lets go of index and lock in time though
// the process cannot end.
func TestHungMount(t *testing.T) {
	w := newWorld(t, append([]string{"resync-interval", "1s", "probe-timeout", "500ms"}, mortal...)...)
	var mounts []*faulty
	for i := range 3 {
		source := w.path(fmt.Sprintf("source%d", i))
		mounts = append(mounts, w.faulty(source, w.project(fmt.Sprintf("m%d", i))))
		for k := range 5 {
			w.manifest(fmt.Sprintf("%s/p%d", source, k), fmt.Sprintf("M%dP%d", i, k), "")
		}
	}
	d := w.start()
	mounts[1].suffer("lookup hang")
	d.moreSweeps(2)

	for n := range 5 {
		text := fmt.Sprintf("edit-%d", n)
		w.manifest(w.path(fmt.Sprintf("source%d/p%d", n%2*2, n)), fmt.Sprintf("M%dP%d", n%2*2, n), text)
		before, began := d.sweeps(), time.Now()
		w.seen(fmt.Sprintf("M%dP%d", n%2*2, n), text)
		if took := d.sweeps() - before; took > 2 {
			t.Errorf("%s was seen after %v sweeps, %s", text, took, time.Since(began))
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s was seen after %s", text, took)
		}
	}
	d.moreSweeps(5)
	if n := d.status("Threads"); n > 40 {
		t.Errorf("%d threads", n)
	}
	for id, a := range w.agents() {
		if a.Status != "active" || a.MissingSince != nil {
			t.Errorf("%s is %s", id, a.says())
		}
	}
	d.healthy()

	// Another one takes over within 5 s, without the hung root.
	d.signal(syscall.SIGTERM)
	began := time.Now()
	w.within(5*time.Second, func() error { return lockFree(w.db() + ".lock") })
	t.Logf("the lock was free after %s; ended: %v", time.Since(began).Round(time.Millisecond), !d.lives())
	text := d.said()
	if !strings.Contains(text, `"event":"Stopped"`) {
		t.Error("it did not say that it stopped")
	}
	w.settings["socket"] = w.path("run/other")
	other := w.start()
	other.healthy()
	other.signal(syscall.SIGTERM)
	w.within(5*time.Second, func() error { return lockFree(w.db() + ".lock") })

	mounts[1].suffer()
	for _, p := range []*daemon{d, other} {
		select {
		case <-p.ended:
			if code := p.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		case <-time.After(patience):
			t.Error("it does not end though the mount answers again")
		}
	}
	w.sync()
	w.neverRemoved()
}

// lockFree is an error while somebody holds the lock of an index.
func lockFree(file string) error {
	out, err := exec.Command("flock", "--nonblock", file, "true").CombinedOutput()
	if err != nil {
		return fmt.Errorf("the lock is held: %w %s", err, out)
	}
	return nil
}
