package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRefusesWhatIsNoRegularFile(t *testing.T) {
	tests := []struct {
		name string
		make func(path string) error
	}{
		{"link to a file", func(p string) error { return os.Symlink(filepath.Join(filepath.Dir(p), "..", "x"), p) }},
		{"FIFO", func(p string) error { return unix.Mkfifo(p, 0o600) }},
		{"directory", func(p string) error { return os.Mkdir(p, 0o700) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			if err := tt.make(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			err := Replace(path, []byte("old"), []byte("next"), Options{})
			if err == nil || errors.Is(err, ErrChanged) {
				t.Errorf("Replace: err = %v", err)
			}
			if err := WriteNew(path, []byte("next"), Options{}); err == nil {
				t.Error("WriteNew succeeded")
			}
			if after, err := os.Lstat(path); err != nil || after.Mode() != before.Mode() {
				t.Errorf("it was touched: %v %v", after, err)
			}
			wantAlone(t, path)
		})
	}
}

func TestReadOnlyDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("permissions do not bind root")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	put(t, path, "old", 0o600)
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	if err := Replace(path, []byte("old"), []byte("new"), Options{}); !errors.Is(err, unix.EACCES) {
		t.Errorf("err = %v, want EACCES", err)
	}
	if got := read(t, path); got != "old" {
		t.Errorf("content %q", got)
	}
	wantAlone(t, path)
}

func TestMissingDirectory(t *testing.T) {
	err := Replace(filepath.Join(t.TempDir(), "no", "f"), nil, []byte("x"), Options{})
	if !errors.Is(err, unix.ENOENT) || errors.Is(err, ErrChanged) {
		t.Errorf("err = %v, want ENOENT", err)
	}
}

func TestRenameNeverOverwrites(t *testing.T) {
	everySteps(t, func(t *testing.T, s steps) {
		dir := t.TempDir()
		p := func(n string) string { return filepath.Join(dir, n) }
		put(t, p("a"), "a", 0o600)
		put(t, p("b"), "b", 0o600)
		for _, d := range []string{"d", "e"} {
			if err := os.Mkdir(p(d), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for _, pair := range [][2]string{{"a", "b"}, {"d", "e"}} {
			err := s.move(unix.AT_FDCWD, p(pair[0]), unix.AT_FDCWD, p(pair[1]))
			if !errors.Is(err, os.ErrExist) {
				t.Errorf("%v: err = %v, want ErrExist", pair, err)
			}
		}
		for _, pair := range [][2]string{{"a", "c"}, {"d", "f"}} {
			if err := s.move(unix.AT_FDCWD, p(pair[0]), unix.AT_FDCWD, p(pair[1])); err != nil {
				t.Errorf("%v: %v", pair, err)
			}
		}
		if read(t, p("c")) != "a" || read(t, p("b")) != "b" {
			t.Error("contents were mixed up")
		}
	})
}
