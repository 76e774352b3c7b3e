package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOneHolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mesh.db")
	lock, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.db")
	write(t, path, "")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link} {
		_, err = Acquire(name)
		held, ok := errors.AsType[*HeldError](err)
		if !ok || held.PID != os.Getpid() {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 {
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Release(); err != nil {
		t.Fatal(err)
	}
	if note := readNote(path + ".lock"); note.PID != 0 {
		t.Errorf("a released lock names %d", note.PID)
	}
}

// Where somebody removes the lock file, the holder takes it back; where somebody
// else has taken it, the holder stops writing.
func TestRemovedLockFile(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	commit(t, x.s, insert("a", "/r/a"))
	if err := os.Remove(x.path + ".lock"); err != nil {
		t.Fatal(err)
	}
	commit(t, x.s, insert("b", "/r/b"))
	if got := readNote(x.path + ".lock"); !cmp.Equal(got, x.lock.current()) || !cmp.Equal(got.Ahead, x.s.c.ahead) {
		t.Errorf("the new file says %+v", got)
	}
	if _, err := Acquire(x.path); err == nil {
		t.Fatal("two holders")
	}
	if err := os.Remove(x.path + ".lock"); err != nil {
		t.Fatal(err)
	}
	other, err := Acquire(x.path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.s.Commit(t.Context(), insertOf("c"))
	if _, held := errors.AsType[*HeldError](err); !held {
		t.Error("written without the lock:", err)
	}
	if err := other.Release(); err != nil {
		t.Fatal(err)
	}
}

// The note fits its size however many stamps it names, and stays one that can be
// read.
func TestNoteFits(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	for i := range 3 * maxUnsynced {
		commit(t, x.s, insertOf(fmt.Sprint(i))...)
		x.lock.note.Started = "2026-11-20T12:00:00.000Z"
		note, err := json.Marshal(x.lock.current())
		if err != nil {
			t.Fatal(err)
		}
		if len(note) > noteSize*9/10 {
			t.Fatalf("%d bytes", len(note))
		}
	}
}
