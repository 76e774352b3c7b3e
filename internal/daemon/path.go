package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// absolute makes a path as it was written clean and absolute. A leading ~/ is
// the user's home: no shell has looked at a file or a variable's value.
func (in *Input) absolute(path, dir string) (string, error) {
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || rest[0] == filepath.Separator) {
		home, err := in.home()
		if err != nil {
			return "", err
		}
		return filepath.Join(home, rest), nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path), nil
}

// maxLinks bounds a chain of links, as the kernel does.
const maxLinks = 40

// RealPath resolves every symbolic link in an absolute path. What is not there
// resolves as far as it is, so that a path reads the same before and after its
// last part (or the volume that a link points to) appears.
func RealPath(path string) string { return realPath(filepath.Clean(path), maxLinks) }

func realPath(path string, links int) string {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real
	}
	parent := filepath.Dir(path)
	if !errors.Is(err, fs.ErrNotExist) || parent == path || links == 0 {
		return path
	}
	if target, err := os.Readlink(path); err == nil {
		if !filepath.IsAbs(target) {
			target = filepath.Join(parent, target)
		}
		return realPath(filepath.Clean(target), links-1)
	}
	return filepath.Join(realPath(parent, links), filepath.Base(path))
}

// settleRoots makes the roots real, puts the managed home among them and drops
// repetitions.
func (c *Config) settleRoots() {
	c.ManagedHome = RealPath(filepath.Join(c.DorkHome, "agents"))
	roots := []string{c.ManagedHome}
	for _, r := range c.ScanRoots {
		if r = RealPath(r); !slices.Contains(roots, r) {
			roots = append(roots, r)
		}
	}
	c.ScanRoots = roots
}
