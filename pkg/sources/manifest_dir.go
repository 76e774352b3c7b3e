package sources

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
)

var (
	errNoDork = errors.New("there is no directory " + dorkDir)
	// errOtherDork: a link, or something else that holds nothing of ours.
	errOtherDork = errors.New("expected a directory")
)

// projectDir is a project directory for writing. It is held open, and so is
// .dork, so that a link that is put in the way meanwhile leads nowhere.
type projectDir struct {
	open opener
	path string
	fd   int
}

// project opens a project directory; the path is followed where it is a link,
// as by a probe.
func (t *Tree) project(path string) (projectDir, error) {
	fd, err := openAt(unix.AT_FDCWD, path, pathFlags)
	if err != nil {
		return projectDir{}, fmt.Errorf("open %s: %w", path, err)
	}
	return projectDir{t.open, path, fd}, nil
}

func (d projectDir) close() { _ = unix.Close(d.fd) }

// dork opens .dork, through no link.
func (d projectDir) dork() (*os.File, error) {
	path := d.path + "/" + dorkDir
	fd, err := d.open.dir(d.fd, dorkCName)
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, errNoDork
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		if st, err := lstatAt(d.fd, dorkDir); err == nil {
			return nil, fmt.Errorf("%s is %s: %w", path, kindName(&st), errOtherDork)
		}
		return nil, errNoDork // gone in between
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// makeDork makes .dork where it is not there. Its mode is 0755 under the umask.
func (d projectDir) makeDork() (made bool, err error) {
	err = again(func() error { return unix.Mkdirat(d.fd, dorkDir, 0o755) })
	if errors.Is(err, unix.EEXIST) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("make directory %s/%s: %w", d.path, dorkDir, err)
	}
	return true, nil
}

// removeDork takes .dork away where it is empty, and says whether it did.
func (d projectDir) removeDork() (removed bool, err error) {
	for range 2 { // nobody else would do it later
		err = again(func() error { return unix.Unlinkat(d.fd, dorkDir, unix.AT_REMOVEDIR) })
		switch {
		case err == nil:
			return true, nil
		case absent(err), errors.Is(err, unix.ENOTEMPTY), errors.Is(err, unix.EEXIST):
			return false, nil
		}
	}
	return false, fmt.Errorf("remove directory %s/%s: %w", d.path, dorkDir, err)
}

// handle is the directory itself, open for syncing.
func (d projectDir) handle() (*os.File, error) {
	fd, err := d.open.dir(d.fd, thisCName)
	if err != nil {
		return nil, fmt.Errorf("open %s to sync it: %w", d.path, err)
	}
	return os.NewFile(uintptr(fd), d.path), nil
}

// sync makes a .dork that was made survive a power failure.
func (d projectDir) sync() error {
	dir, err := d.handle()
	if err != nil {
		return err
	}
	defer dir.Close()
	return atomicfile.SyncDirAt(dir)
}
