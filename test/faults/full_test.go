//go:build faults && linux

package faults

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// fill takes all the room that a file system has.
func (w *world) fill(dir string) (free func()) {
	w.t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	w.must(err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		w.t.Fatal(err)
	}
	return func() { w.must(os.Remove(name)) }
}

// The disk of home is full, or has no more inodes: index and relay cannot be
// written, nothing is half-written, and all is made good when it can.
func TestHomeCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, options string
		spoil         func(w *world) (mend func())
	}{
		{"no room", "size=2m", func(w *world) func() { return w.fill(w.path("disk")) }},
		{"no inodes", "size=8m,nr_inodes=80", func(w *world) func() { return w.noInodes(w.path("disk")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.tmpfs(w.path("disk"), c.options)
			w.homeOn(w.path("disk"))
			w.fleet(w.projects, 5)
			d := w.start()
			rules := w.read(w.rules())

			mend := c.spoil(w)
			w.manifest(w.project("p001"), agentID(1), "edited")
			w.must(save(w.project("new"), `{"id":"NEW","name":"new","runtime":"codex","namespace":"another","registeredAt":"2026-01-02T03:04:05.000Z","registeredBy":"f"}`))
			w.must(os.RemoveAll(w.project("p002")))
			d.moreSweeps(3)
			d.healthy()
			if c.name != "no inodes" && d.metric("index_errors_total")+d.metric("relay_errors_total") == 0 {
				t.Error("no error is counted")
			}
			if got := w.read(w.rules()); got != rules && !json.Valid([]byte(got)) {
				t.Errorf("rules: %s", got)
			}
			mend()
			w.sync()
			w.seen(agentID(1), "edited")
			w.eachSays("active InSync", agentID(0), agentID(1), agentID(3), agentID(4), "NEW")
			w.eachSays("unreachable PathMissing", agentID(2))
			if s := w.sync(); s.Counts.Queued != 0 {
				t.Errorf("a second sync found work: %+v", s)
			}
			if got := w.cell("PRAGMA integrity_check"); got != "ok" {
				t.Errorf("integrity: %s", got)
			}
			d.awaitReady(true, patience)
			if left := append(w.temps(w.home), w.temps(filepath.Dir(w.rules()))...); len(left) > 0 {
				t.Errorf("left %v", left)
			}
			d.stop()
		})
	}
}

// The file system of home finds itself damaged and lets nobody write any more.
// The daemon lives, says so, and ends in time; after the repair one sync makes
// all good.
func TestHomeGoesReadOnly(t *testing.T) {
	w := newWorld(t)
	l := w.loop("ext4", w.path("disk"))
	w.homeOn(l.target)
	w.fleet(w.projects, 5)
	d := w.start()
	d.awaitReady(true, patience)
	l.damage()
	if err := os.WriteFile(w.path("disk/try"), nil, 0o600); !errors.Is(err, syscall.EROFS) {
		t.Skipf("it cannot be made read-only here: %v", err)
	}
	w.manifest(w.project("p001"), agentID(1), "edited")
	d.awaitReady(false, 75*time.Second)
	d.healthy()
	if o := w.run("update", agentID(0), "--set", "description=changed"); o.code != 1 {
		t.Errorf("update: exit code %d: %s", o.code, o.stderr)
	}
	d.stop()

	l.again()
	w.sync()
	w.seen(agentID(1), "edited")
	w.eachSays("active InSync", ids(5)...)
	if got := w.cell("PRAGMA integrity_check"); got != "ok" {
		t.Errorf("integrity: %s", got)
	}
}

// noInodes takes all that a file system has.
func (w *world) noInodes(dir string) (free func()) {
	w.t.Helper()
	into := filepath.Join(dir, "inodes")
	w.must(os.Mkdir(into, 0o755))
	for n := 0; ; n++ {
		f, err := os.Create(filepath.Join(into, string(rune('a'+n%26))+string(rune('0'+n/26))))
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		w.must(err)
		w.must(f.Close())
	}
	return func() { w.must(os.RemoveAll(into)) }
}

// The projects' disk is full, or has no more inodes, or is read-only: an order
// that would write a manifest says so, the old bytes are whole, nothing is left.
// What can be read goes on.
func TestProjectsCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, options string
		spoil         func(w *world) (mend func())
	}{
		{"no room", "size=1m", func(w *world) func() { return w.fill(w.projects) }},
		{"no inodes", "size=1m,nr_inodes=40", func(w *world) func() { return w.noInodes(w.projects) }},
		{"read-only", "size=1m", func(w *world) func() {
			w.readonly(w.projects, true)
			return func() { w.readonly(w.projects, false) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.tmpfs(w.projects, c.options)
			w.fleet(w.projects, 3)
			w.must(os.Mkdir(w.project("new"), 0o755))
			d := w.start()
			before := w.read(manifestOf(w.project("p001")))
			mend := c.spoil(w)
			for _, args := range [][]string{
				{"register", w.project("new"), "--name", "new", "--runtime", "codex"},
				{"update", agentID(1), "--set", "description=changed"},
			} {
				if o := w.run(append(args, "-o", "json")...); o.code != 1 || !json.Valid([]byte(o.stderr)) {
					t.Errorf("%v: exit code %d: %s", args, o.code, o.stderr)
				}
			}
			if got := w.read(manifestOf(w.project("p001"))); got != before {
				t.Errorf("the manifest is %q, was %q", got, before)
			}
			if got := w.temps(w.project("p001/.dork")); len(got) > 0 {
				t.Errorf("left %v", got)
			}
			if _, err := os.Lstat(w.project("new/.dork/agent.json")); err == nil {
				t.Error("a manifest is there though registering failed")
			}
			w.sync()
			w.eachSays("active InSync", ids(3)...)
			d.healthy()
			mend()
			w.want(0, "register", w.project("new"), "--name", "new", "--runtime", "codex")
			w.want(0, "update", agentID(1), "--set", "description=changed")
			w.seen(agentID(1), "changed")
		})
	}
}
