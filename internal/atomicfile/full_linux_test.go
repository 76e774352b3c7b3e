package atomicfile

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A full file system leaves the old content and no temporary file.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mounting a tmpfs is not permitted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	path := filepath.Join(dir, "f")
	put(t, path, "old", 0o600)
	for range 3 {
		err := Replace(path, []byte("old"), []byte(strings.Repeat("x", 256<<10)), Options{})
		if !errors.Is(err, unix.ENOSPC) {
			t.Fatalf("err = %v, want ENOSPC", err)
		}
		if got := read(t, path); got != "old" {
			t.Errorf("content %q", got)
		}
		wantAlone(t, path)
	}
	if err := Replace(path, []byte("old"), []byte("new"), Options{}); err != nil {
		t.Error(err)
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mounting a tmpfs is not permitted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	path := filepath.Join(dir, "f")
	put(t, path, "old", 0o600)
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skipf("remounting is not permitted here: %v", err)
	}
	if err := Replace(path, []byte("old"), []byte("new"), Options{}); !errors.Is(err, unix.EROFS) {
		t.Errorf("err = %v, want EROFS", err)
	}
	if got := read(t, path); got != "old" {
		t.Errorf("content %q", got)
	}
}
