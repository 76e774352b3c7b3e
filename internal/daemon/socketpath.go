package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// maxSocketPath is what fits into an address of a unix socket on every system.
const maxSocketPath = 103

// shortSocketPath is another name for path that fits into a socket's address:
// through an open file descriptor of its directory, where the system has them
// as files. The name lives until done is called.
func shortSocketPath(path string) (short string, done func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	short = fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))
	if _, err := os.Stat(filepath.Dir(short)); err != nil || len(short) > maxSocketPath {
		err = fmt.Errorf("socket path %s is longer than %d bytes: name a shorter one with --socket", path, maxSocketPath)
		return "", nil, errors.Join(err, dir.Close())
	}
	return short, func() { _ = dir.Close() }, nil
}
