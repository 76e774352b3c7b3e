package e2e

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// tree is everything below the home and the projects with whatever a write
// changes. The files that a reader of the index makes beside it, for as long as
// it reads, do not count; the directory they are in changes with them.
func (w *world) tree(without ...string) map[string]string {
	w.t.Helper()
	files := map[string]string{}
	for _, root := range []string{w.home, w.projects} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || path == w.home || strings.HasPrefix(path, w.db()+"-") || slices.Contains(without, path) {
				return nil
			}
			if err != nil {
				return err
			}
			files[strings.TrimPrefix(path, w.dir)], err = stamp(path)
			return err
		})
		w.must(err)
	}
	return files
}

// treeOf lists what is at and below a path.
func (w *world) treeOf(root string) []string {
	w.t.Helper()
	var list []string
	w.must(filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		list = append(list, strings.TrimPrefix(path, w.dir))
		return err
	}))
	return list
}

func stamp(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	var sum [sha256.Size]byte
	if info.Mode().IsRegular() {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		sum = sha256.Sum256(text)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", errors.New("no inode")
	}
	return fmt.Sprintf("%s inode %d size %d changed %s %x", info.Mode(), st.Ino, info.Size(), info.ModTime(), sum[:6]), nil
}
