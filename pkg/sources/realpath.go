package sources

import (
	"fmt"
	"path/filepath"
)

// RealPath is the clean absolute path with every link resolved: the spelling
// in which roots and project paths are kept. The path must exist.
func RealPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", path, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", path, err)
	}
	return real, nil
}
