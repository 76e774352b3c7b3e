package store

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// index is a database with its lock, reopened as a new process would.
type index struct {
	testing.TB
	path string
	lock *Lock
	s    *Store
}

func newIndex(t testing.TB, path string) *index {
	x := &index{TB: t, path: path}
	x.start()
	t.Cleanup(x.stop)
	return x
}

func (x *index) start() {
	x.Helper()
	var err error
	if x.lock, err = Acquire(x.path); err != nil {
		x.Fatal(err)
	}
	if x.s, err = Open(x.Context(), Options{Path: x.path, Lock: x.lock, Now: time.Now}); err != nil {
		x.Fatal(err)
	}
}

func (x *index) stop() {
	x.Helper()
	if err := x.s.Close(); err != nil {
		x.Fatal(err)
	}
	if err := x.lock.Release(); err != nil {
		x.Fatal(err)
	}
}

func (x *index) lost() bool {
	x.Helper()
	l, _ := list(x, x.s)
	return l.Lost
}

// found expects a lost index, also after a restart, and finds it.
func (x *index) found() {
	x.Helper()
	for range 2 {
		if !x.lost() {
			x.Fatal("not known to be lost")
		}
		x.stop()
		x.start()
	}
	if err := x.s.Found(x.Context()); err != nil {
		x.Fatal(err)
	}
	if x.lost() {
		x.Fatal("still lost")
	}
	x.stop()
	x.start()
	if x.lost() {
		x.Fatal("lost once more")
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
}

func TestFreshIndexIsNotLost(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	for i := range 3 {
		if x.lost() {
			t.Error("a fresh index is lost")
		}
		commit(t, x.s, insert(string('a'+rune(i)), "/r/"+string('a'+rune(i))))
		x.stop()
		x.start()
	}
}

func TestRestoredBackupIsLost(t *testing.T) {
	for name, restore := range map[string]func(t *testing.T, backup, path string){
		"rename": func(t *testing.T, backup, path string) {
			copyFile(t, backup, path+".tmp")
			if err := os.Rename(path+".tmp", path); err != nil {
				t.Fatal(err)
			}
		},
		"same inode": copyInto,
		"deleted": func(t *testing.T, _, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		for _, when := range []string{"stopped", "resting"} {
			t.Run(name+" "+when, func(t *testing.T) {
				dir := t.TempDir()
				x := newIndex(t, filepath.Join(dir, "mesh.db"))
				commit(t, x.s, insert("a", "/r/a"))
				if err := x.s.Rest(); err != nil {
					t.Fatal(err)
				}
				copyFile(t, x.path, filepath.Join(dir, "backup"))
				commit(t, x.s, insert("b", "/r/b"))
				list(t, x.s)
				if when == "stopped" {
					x.stop()
				} else if err := x.s.Rest(); err != nil {
					t.Fatal(err)
				}
				restore(t, filepath.Join(dir, "backup"), x.path)
				if when == "stopped" {
					x.start()
				} else if l, changed := list(t, x.s); !l.Lost || len(changed) == 0 {
					t.Errorf("changed %v, lost %v", changed, l.Lost)
				}
				x.found()
			})
		}
	}
}

func copyInto(t *testing.T, backup, path string) { copyFile(t, backup, path) }

// The file goes or is replaced while the connection is open: nothing is written
// into what is no longer there.
func TestReplacedUnderAnOpenConnection(t *testing.T) {
	for _, how := range []string{"deleted", "replaced", "moved away"} {
		t.Run(how, func(t *testing.T) {
			dir := t.TempDir()
			x := newIndex(t, filepath.Join(dir, "mesh.db"))
			commit(t, x.s, insert("a", "/r/a"))
			if err := x.s.Rest(); err != nil {
				t.Fatal(err)
			}
			copyFile(t, x.path, filepath.Join(dir, "backup"))
			commit(t, x.s, insert("b", "/r/b"))
			list(t, x.s)
			switch how {
			case "deleted":
				for _, side := range []string{"", "-wal", "-shm"} {
					os.Remove(x.path + side)
				}
			case "replaced":
				for _, side := range []string{"-wal", "-shm"} {
					os.Remove(x.path + side)
				}
				if err := os.Rename(filepath.Join(dir, "backup"), x.path); err != nil {
					t.Fatal(err)
				}
			case "moved away":
				if err := os.Rename(x.path, x.path+".bak"); err != nil {
					t.Fatal(err)
				}
			}
			commit(t, x.s, insert("c", "/r/c"))
			if err := x.s.Rest(); err != nil {
				t.Fatal(err)
			}
			want := []string{"c"}
			if how == "replaced" {
				want = []string{"a", "c"}
			}
			if diff := cmp.Diff(want, selectText(t, x.path, `SELECT id FROM agents ORDER BY id`)); diff != "" {
				t.Error(diff)
			}
			l, changed := list(t, x.s)
			if !l.Lost || !cmp.Equal(changed, map[string][]agent.ID{
				"deleted": {"a", "b"}, "replaced": {"b"}, "moved away": {"a", "b"},
			}[how]) {
				t.Errorf("lost %v, changed %v", l.Lost, changed)
			}
			x.found()
		})
	}
}

// A crash between the lock file and the commit leaves either stamp.
func TestCrashBetweenStampsIsNoLoss(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	commit(t, x.s, insert("a", "/r/a"))
	old := x.lock.current().Stamp
	if _, err := x.lock.intend(); err != nil {
		t.Fatal(err)
	}
	never := x.lock.current().Ahead
	x.stop()
	x.start()
	if x.lost() {
		t.Error("an intent that did not commit")
	}
	commit(t, x.s, insert("b", "/r/b"))
	now := x.lock.current().Stamp
	if slices.Contains(never, now) {
		t.Error("written with a stamp that another process had intended")
	}
	x.lock.note.Stamp, x.lock.note.Ahead = old, []string{"before", now, "after"}
	x.stop()
	x.start()
	if x.lost() {
		t.Error("a commit that was not confirmed")
	}
	got := x.lock.current()
	if got.Stamp != now || !cmp.Equal(got.Ahead, []string{"after"}) || !slices.Contains(got.Unsynced, "before") {
		t.Errorf("%+v", got)
	}
}

// A power cut takes the newest of the commits that were not synced, as many as
// there were since the last checkpoint; what the lock file says is on the disk.
func TestPowerCutIsNoLoss(t *testing.T) {
	for _, lostCommits := range []int{1, 2, 3 * maxUnsynced} {
		x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
		commit(t, x.s, insert("before", "/r/before"))
		if err := x.s.Rest(); err != nil {
			t.Fatal(err)
		}
		commit(t, x.s, insert("kept", "/r/kept"))
		on := map[string][]byte{}
		keep := func(name string) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			on[name] = b
		}
		keep(x.path)
		keep(x.path + "-wal")
		for i := range lostCommits {
			commit(t, x.s, insert(fmt.Sprint("lost", i), fmt.Sprint("/r/lost", i)))
			if len(x.lock.current().Unsynced) == 0 {
				keep(x.path + "-wal") // what is synced is not lost
			}
			if x.s.c.full {
				t.Error("synced while others wait")
			}
		}
		keep(x.lock.path)
		x.stop()
		for name, b := range on {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		x.start()
		if x.lost() {
			t.Errorf("%d commits: taken for a restored backup", lostCommits)
		}
	}
}

// What was checkpointed is on the disk: from then on an older index is a backup.
func TestCheckpointEndsDoubt(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	for i := range 3 {
		commit(t, x.s, insert(fmt.Sprint("a", i), fmt.Sprint("/r/a", i)))
	}
	if got := x.lock.current(); len(got.Unsynced) == 0 {
		t.Fatalf("%+v: the test tests nothing", got)
	}
	if err := x.s.Rest(); err != nil {
		t.Fatal(err)
	}
	if got := readNote(x.lock.path); len(got.Unsynced) != 0 || got.Stamp == "" {
		t.Errorf("%+v", got)
	}
}

// A lock file that says something of an index that says nothing, and the other
// way round, is a loss.
func TestOneSidedStampIsALoss(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	commit(t, x.s, insert("a", "/r/a"))
	x.stop()
	sqlite(t, x.path, `DELETE FROM mesh_controller_meta`)
	x.start()
	x.found()
	x.stop()
	if err := os.Remove(x.path + ".lock"); err != nil {
		t.Fatal(err)
	}
	x.start()
	x.found()
}

func TestVanishedDorkDBIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dork.db")
	sqlite(t, path, "PRAGMA journal_mode = WAL;"+ledger+baseTable+seedColumns)
	x := newIndex(t, path)
	commit(t, x.s, insert("a", "/r/a"))
	list(t, x.s)
	for _, rest := range []bool{false, true} {
		if rest {
			if err := x.s.Rest(); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := x.s.List(t.Context()); err == nil {
			t.Error("a vanished database was listed")
		}
		if _, err := x.s.Commit(t.Context(), []agent.Change{insert("b", "/r/b")}); err == nil {
			t.Error("a vanished database was written")
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("dork.db was made")
		}
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
		if l, _ := list(t, x.s); l.Lost || len(l.Entries) != 1 {
			t.Errorf("%+v", l)
		}
	}
}
