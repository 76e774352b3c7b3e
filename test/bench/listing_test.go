package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"b", "a", "a-long-name-of-several-words"} {
		if err := os.Mkdir(filepath.Join(dir, n), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	got, err := names(dir)
	if diff := cmp.Diff([]string{"a", "a-long-name-of-several-words", "b"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
