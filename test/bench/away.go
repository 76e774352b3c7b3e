package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// takeAway moves all that is in a tree beside it.
func takeAway(root string) error {
	if err := os.Mkdir(away(root), 0o755); err != nil {
		return err
	}
	return moveAll(root, away(root))
}

// bringBack undoes takeAway, also that of a harness that was killed.
func bringBack(root string) error {
	if err := moveAll(away(root), root); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return os.Remove(away(root))
}

func away(root string) string { return filepath.Clean(root) + ".away" }

func moveAll(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
