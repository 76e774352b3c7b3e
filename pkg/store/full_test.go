package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// A full disk is named as such, loses nothing that was there, and is got over.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=768k"); err != nil {
		t.Skip("a small file system cannot be mounted:", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	x := newIndex(t, filepath.Join(dir, "mesh.db"))
	commit(t, x.s, insert("a", "/r/a"))
	list(t, x.s)
	big := strings.Repeat("x", 200_000)
	var err error
	for i := 0; err == nil && i < 20; i++ {
		ch := insert(fmt.Sprint("big", i), fmt.Sprint("/r/big", i))
		ch.Row.Fields[agent.FieldPersona] = agent.TextCell(big)
		_, err = x.s.Commit(t.Context(), []agent.Change{ch})
	}
	if err == nil || !strings.Contains(err.Error(), "is full") {
		t.Fatal(err)
	}
	l, changed := list(t, x.s)
	if l.Lost || len(l.Entries) == 0 || len(changed) == 0 {
		t.Errorf("lost %v, %d entries, changed %v", l.Lost, len(l.Entries), changed)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	commit(t, x.s, insert("z", "/r/z"))
	if err := x.s.QuickCheck(t.Context()); err != nil {
		t.Error(err)
	}
}
