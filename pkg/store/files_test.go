package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func noSides(t testing.TB, path string) {
	t.Helper()
	for _, side := range []string{"-wal", "-shm", "-journal"} {
		if _, err := os.Stat(path + side); err == nil {
			t.Errorf("%s was left behind", side)
		}
	}
}

// noHandles checks that this process holds no file of the database open.
func noHandles(t testing.TB, path string) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, path) && !strings.HasSuffix(to, ".lock") {
			t.Errorf("%s is still open", to)
		}
	}
}

// Not parallel: the umask is the process's.
func TestModesWhateverTheUmask(t *testing.T) {
	defer unix.Umask(unix.Umask(0))
	top := t.TempDir()
	dir := filepath.Join(top, "home", "sub")
	path := filepath.Join(dir, "mesh.db")
	lock, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	s := open(t, Options{Path: path, Lock: lock, Now: time.Now})
	check := func() {
		t.Helper()
		err := filepath.WalkDir(filepath.Join(top, "home"), func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			fi, err := d.Info()
			if err != nil {
				return err
			}
			if fi.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", p, fi.Mode())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	check()
	commit(t, s, insert("a", "/r/a"))
	check()
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	list(t, s)
	check()
}

func TestModesAreNotLoosened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mesh.db")
	s := openNewAt(t, path)
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o400, 0o600, 0o640} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		list(t, s)
		for _, p := range []string{path, path + "-wal", path + "-shm"} {
			if fi, err := os.Stat(p); err == nil && fi.Mode().Perm() != mode {
				t.Errorf("%s: %v, want %v", p, fi.Mode(), mode)
			}
		}
		if err := s.Rest(); err != nil {
			t.Fatal(err)
		}
	}
}

func openNewAt(t testing.TB, path string) *Store {
	t.Helper()
	return open(t, Options{Path: path, Now: time.Now})
}
