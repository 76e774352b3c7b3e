package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A harness that was killed left the tree half moved.
func TestBringBack(t *testing.T) {
	root := filepath.Join(t.TempDir(), "tree")
	for _, n := range []string{"a", "b"} {
		if err := os.MkdirAll(filepath.Join(root, n), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := takeAway(root); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(away(root), "a"), filepath.Join(root, "a")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := bringBack(root); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := names(root); len(got) != 2 || err != nil {
		t.Error(got, err)
	}
}
