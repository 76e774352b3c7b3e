//go:build faults && linux

package faults

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// holder is another process that has the index locked, as its lines say.
func (w *world) holder(lines string) (release func()) {
	w.t.Helper()
	needs(w.t, "sqlite3")
	cmd := exec.Command("sqlite3", "-bail", w.db())
	in, err := cmd.StdinPipe()
	w.must(err)
	out, err := cmd.StdoutPipe()
	w.must(err)
	w.must(cmd.Start())
	_, err = io.WriteString(in, ".timeout 10000\n"+lines+"\nSELECT 'held';\n")
	w.must(err)
	for said := ""; !strings.Contains(said, "held"); {
		buf := make([]byte, 100)
		n, err := out.Read(buf)
		if err != nil {
			w.t.Fatalf("sqlite3 said %q: %v", said, err)
		}
		said += string(buf[:n])
	}
	w.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return func() {
		_, err := io.WriteString(in, "ROLLBACK;\n.quit\n")
		w.must(err)
		w.must(in.Close())
		w.must(cmd.Wait())
	}
}

// Another process holds the index for longer than 30 s: the daemon lives, says
// that it is not ready, and makes good when it is let in again.
func TestIndexLocked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, lines string }{
		{"immediate", "BEGIN IMMEDIATE;\nUPDATE agents SET name = 'theirs';"},
		{"exclusive", "PRAGMA locking_mode = EXCLUSIVE;\nBEGIN EXCLUSIVE;\nUPDATE agents SET name = 'theirs';"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.fleet(w.projects, 3)
			d := w.start()
			d.awaitReady(true, patience)
			release := w.holder(c.lines)
			w.manifest(w.project("p001"), agentID(1), "edited")
			w.manifest(w.project("new"), "NEW", "")
			began := time.Now()
			d.awaitReady(false, 75*time.Second)
			if held := time.Since(began); held < 15*time.Second {
				t.Errorf("not ready after %s already", held)
			}
			d.healthy()
			if d.metric("index_errors_total") == 0 {
				t.Error("no index error is counted")
			}
			release()
			w.seen(agentID(1), "edited")
			w.eachSays("active InSync", append(ids(3), "NEW")...)
			d.awaitReady(true, patience)
			w.sync()
			if s := w.sync(); s.Counts.Queued != 0 {
				t.Errorf("a second sync found work: %+v", s)
			}
			d.stop()
		})
	}
}

// Another writer's rows while the daemon runs: its own are put right, nobody
// waits for anybody for long.
func TestIndexSharedWithAnotherWriter(t *testing.T) {
	needs(t, "sqlite3")
	w := newWorld(t, "resync-interval", "50ms")
	w.fleet(w.projects, 20)
	w.start()
	for n := range 100 {
		w.shell("sqlite3", w.db(), ".timeout 5000", fmt.Sprintf(
			"BEGIN IMMEDIATE; UPDATE agents SET last_seen_at = '2026-01-0%dT00:00:00.000Z' WHERE id = '%s'; COMMIT;", n%9+1, agentID(n%20)))
		if n%10 == 0 {
			w.manifest(w.project(fmt.Sprintf("p%03d", n%20)), agentID(n%20), fmt.Sprint(n))
		}
	}
	w.sync()
	w.eachSays("active InSync", ids(20)...)
	if got := w.cell("SELECT count(*) FROM agents WHERE last_seen_at LIKE '2026-01-0%'"); got != "20" {
		t.Errorf("%s of its stamps are left", got)
	}
	if got := w.cell("PRAGMA integrity_check"); got != "ok" {
		t.Errorf("integrity: %s", got)
	}
}

// The index is taken away under the daemon, or an older one is put in its place.
// What the files say is there again after one sync, and no absence that the
// other file tells of ends by it.
func TestIndexReplaced(t *testing.T) {
	t.Parallel()
	needs(t, "sqlite3")
	for _, c := range []struct {
		name    string
		replace func(w *world, backup string)
	}{
		{"deleted", func(w *world, _ string) {
			w.must(os.Remove(w.db()))
			for _, more := range []string{"-wal", "-shm"} {
				_ = os.Remove(w.db() + more) // there are none between sweeps
			}
		}},
		{"moved over", func(w *world, backup string) { w.must(os.Rename(backup, w.db())) }},
		{"copied over", func(w *world, backup string) { w.shell("cp", backup, w.db()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "orphan-grace", "3s", "settle", "500ms", "mass-missing-ratio", "0")
			w.fleet(w.projects, 6)
			d := w.start()
			w.must(os.RemoveAll(w.project("p000"))) // an orphan in the backup
			w.eachSays("unreachable PathMissing", agentID(0))
			backup := w.path("backup")
			w.shell("sqlite3", w.db(), ".timeout 5000", ".backup "+backup)
			w.manifest(w.project("p001"), agentID(1), "edited since")
			w.manifest(w.project("new"), "NEW", "")
			w.must(os.Rename(w.project("p002"), w.project("moved")))
			w.seen(agentID(1), "edited since")
			w.seen("NEW", "")

			c.replace(w, backup)
			w.sync("--full")
			w.seen(agentID(1), "edited since")
			w.eachSays("active InSync", agentID(1), agentID(2), agentID(3), agentID(4), agentID(5), "NEW")
			if a := w.agents()[agentID(2)]; a.ProjectPath != w.project("moved") {
				t.Errorf("%+v", a)
			}
			if c.name != "deleted" {
				w.must(w.now("unreachable PathMissing", agentID(0)))
			}
			if s := w.sync(); s.Counts.Queued != 0 {
				t.Errorf("a second sync found work: %+v", s)
			}
			if got := w.cell("PRAGMA integrity_check"); got != "ok" {
				t.Errorf("integrity: %s", got)
			}
			if info, err := os.Stat(w.db()); c.name == "deleted" && (err != nil || info.Mode() != 0o600) {
				t.Errorf("%v %v", info, err)
			}
			w.manifest(w.project("p003"), agentID(3), "goes on")
			w.seen(agentID(3), "goes on")
			w.eachSays("", agentID(0)) // its grace began anew, and ends
			d.stop()
		})
	}
}

// A file that is no longer a database is not written to: the daemon lives and
// says that it is not ready, and its next start exits with 3.
func TestIndexSpoilt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(w *world)
	}{
		{"header", func(w *world) { w.noise(0, 100) }},
		{"the pages of its tables", func(w *world) {
			info, err := os.Stat(w.db())
			w.must(err)
			w.noise(4096, info.Size())
		}},
		{"cut off", func(w *world) { w.must(os.Truncate(w.db(), 5000)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.fleet(w.projects, 3)
			d := w.start()
			c.spoil(w)
			before := w.read(w.db())
			w.manifest(w.project("p001"), agentID(1), "edited")
			d.awaitReady(false, 45*time.Second)
			d.moreSweeps(2)
			d.healthy()
			d.stop()
			if o := w.run("run"); o.code != 3 {
				t.Errorf("run: exit code %d: %s", o.code, o.stderr)
			}
			if o := w.run("sync"); o.code != 3 {
				t.Errorf("sync: exit code %d: %s", o.code, o.stderr)
			}
			if w.read(w.db()) != before {
				t.Error("it was written to")
			}
			// What the hint says: move it away, and all is made again.
			w.must(os.Rename(w.db(), w.db()+".spoilt"))
			w.sync()
			w.eachSays("active InSync", ids(3)...)
		})
	}
}

func (w *world) read(path string) string {
	w.t.Helper()
	text, err := os.ReadFile(path)
	w.must(err)
	return string(text)
}

// noise overwrites part of the index.
func (w *world) noise(from, to int64) {
	w.t.Helper()
	f, err := os.OpenFile(w.db(), os.O_WRONLY, 0)
	w.must(err)
	defer f.Close()
	text := make([]byte, to-from)
	_, err = rand.Read(text)
	w.must(err)
	_, err = f.WriteAt(text, from)
	w.must(err)
}

// temps are what writers left behind.
func (w *world) temps(dir string) (list []string) {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".*"))
	w.must(err)
	more, err := filepath.Glob(filepath.Join(dir, "*.tmp*"))
	w.must(err)
	return append(found, more...)
}
