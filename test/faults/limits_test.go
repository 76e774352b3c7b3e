//go:build faults && linux

package faults

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// No more descriptors: nothing can be opened, so nothing is known and nothing
// changes; all is well again when there are some.
func TestNoDescriptors(t *testing.T) {
	needs(t, "prlimit")
	w := newWorld(t, mortal...)
	w.fleet(w.projects, 5)
	d := w.start()
	d.awaitReady(true, patience)
	d.limit("nofile", fmt.Sprint(d.descriptors()-1))
	w.manifest(w.project("p001"), agentID(1), "edited")
	time.Sleep(3 * time.Second)
	if !d.lives() {
		t.Fatal("it ended")
	}
	for id, a := range w.agents() {
		if a.Status != "active" || a.MissingSince != nil {
			t.Errorf("%s is %s", id, a.says())
		}
	}
	d.limit("nofile", "1024")
	w.seen(agentID(1), "edited")
	d.awaitReady(true, patience)
	w.sync("--full")
	w.eachSays("active InSync", ids(5)...)
	w.neverRemoved()
	d.stop()
}

// limit sets a soft one of the process.
func (d *daemon) limit(what, value string) {
	d.w.t.Helper()
	d.w.shell("prlimit", "--pid", fmt.Sprint(d.pid()), "--"+what+"="+value+":")
}

// No file may grow beyond a limit. A write past it fails, or ends the process;
// the index stays whole and nothing is half-written.
func TestFileSizeLimit(t *testing.T) {
	needs(t, "prlimit")
	w := newWorld(t)
	w.fleet(w.projects, 5)
	d := w.start()
	size := func() int64 {
		info, err := os.Stat(w.db())
		w.must(err)
		return info.Size()
	}
	d.limit("fsize", fmt.Sprint(size()+8192))
	for i := range 300 {
		w.manifest(w.project(fmt.Sprintf("more%03d", i)), fmt.Sprintf("MORE%03d", i), strings.Repeat("long ", 100))
	}
	d.moreSweeps(3)
	d.healthy()
	if !d.lives() {
		t.Errorf("it ended:\n%s", d.said())
	}
	if d.metric("index_errors_total") == 0 {
		t.Error("no index error is counted")
	}
	d.limit("fsize", "unlimited")
	w.sync()
	w.eachSays("active InSync", append(ids(5), "MORE000", "MORE299")...)
	if got := w.cell("PRAGMA integrity_check"); got != "ok" {
		t.Errorf("integrity: %s", got)
	}
}

// The kernel kills it for want of memory: the next one makes all good.
func TestOutOfMemory(t *testing.T) {
	w := newWorld(t)
	group := w.cgroup("memory")
	w.fleet(w.projects, 50)
	d := w.start()
	limit := filepath.Join(group, "memory.limit_in_bytes")
	if _, err := os.Stat(limit); err != nil {
		limit = filepath.Join(group, "memory.max")
	}
	d.join(group)
	// What it has already is not counted; all that is new soon is too much.
	w.must(os.WriteFile(limit, []byte("1M"), 0o644))
	for i := 0; d.lives(); i++ {
		for k := range 50 {
			w.manifest(w.project(fmt.Sprintf("p%03d", k)), agentID(k), fmt.Sprintf("%d %s", i, strings.Repeat("x", 20000)))
		}
		d.order(http.MethodPost, "/v1/sync", `{"full":true}`)
		if i > 60 {
			t.Skip("it is not killed here")
		}
	}
	if status, ok := d.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended otherwise: %v\n%s", d.cmd.ProcessState, d.said())
	}
	if got := w.cell("PRAGMA integrity_check"); got != "ok" {
		t.Errorf("integrity: %s", got)
	}
	w.start()
	w.sync()
	w.eachSays("active InSync", ids(50)...)
	if s := w.sync(); s.Counts.Queued != 0 {
		t.Errorf("a second sync found work: %+v", s)
	}
}

// cgroup makes one of a controller, of version 1 or 2.
func (w *world) cgroup(controller string) string {
	w.t.Helper()
	base := "/sys/fs/cgroup/" + controller
	if _, err := os.Stat(base); err != nil {
		base = "/sys/fs/cgroup"
		text, err := os.ReadFile(base + "/cgroup.subtree_control")
		if err != nil || !strings.Contains(string(text)+" freezer", controller) {
			w.t.Skipf("no cgroup controller %s here", controller)
		}
	}
	group := filepath.Join(base, filepath.Base(w.dir))
	if err := os.Mkdir(group, 0o755); err != nil {
		w.t.Skipf("no cgroup can be made here: %v", err)
	}
	w.t.Cleanup(func() {
		_ = os.WriteFile(filepath.Join(group, "freezer.state"), []byte("THAWED"), 0o644)
		for range 100 {
			if os.Remove(group) == nil {
				return
			}
			time.Sleep(20 * time.Millisecond) // until its last process is gone
		}
	})
	return group
}

func (d *daemon) join(group string) {
	d.w.t.Helper()
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(d.pid())), 0o644); err != nil {
		d.w.t.Skip(err)
	}
}

// It stands still for longer than every grace, by the freezer of the kernel or
// by SIGSTOP: what came back meanwhile is not removed afterwards, and what
// changed is seen at once.
func TestStandsStill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		stop func(w *world, d *daemon) (on func())
	}{
		{"SIGSTOP", func(_ *world, d *daemon) func() {
			d.signal(syscall.SIGSTOP)
			return func() { d.signal(syscall.SIGCONT) }
		}},
		{"freezer", func(w *world, d *daemon) func() {
			group := w.cgroup("freezer")
			d.join(group)
			file, on, off := filepath.Join(group, "freezer.state"), "FROZEN", "THAWED"
			if _, err := os.Stat(file); err != nil {
				file, on, off = filepath.Join(group, "cgroup.freeze"), "1", "0"
			}
			w.must(os.WriteFile(file, []byte(on), 0o644))
			return func() { w.must(os.WriteFile(file, []byte(off), 0o644)) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, append(mortal, "orphan-grace", "2s", "settle", "1s")...)
			w.fleet(w.projects, 4)
			d := w.start()
			for _, p := range []string{"p000", "p001"} {
				w.must(os.Rename(w.project(p), w.path(p)))
			}
			w.eachSays("unreachable PathMissing", ids(2)...)
			on := c.stop(w, d)
			time.Sleep(3 * time.Second)
			w.must(os.Rename(w.path("p000"), w.project("p000")))
			w.manifest(w.project("p002"), agentID(2), "edited")
			on()
			w.eachSays("active InSync", agentID(0), agentID(2), agentID(3))
			w.seen(agentID(2), "edited")
			w.eachSays("", agentID(1)) // it is really gone
			for _, e := range w.events(agentID(0)) {
				if e.Reason == "Removed" {
					t.Errorf("removed though it was back: %+v", e)
				}
			}
			d.healthy()
			d.stop()
		})
	}
}
