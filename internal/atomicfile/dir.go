package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// SyncDir makes what was created, renamed or removed in a directory survive a
// power failure.
func SyncDir(path string) error {
	dir, err := openDir(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return SyncDirAt(dir)
}

// SyncDirAt is SyncDir for a directory that is open for reading; the error is
// ErrNotSynced.
func SyncDirAt(dir *os.File) error { return notSynced(system.syncDir(dir)) }

func openDir(path string) (*os.File, error) {
	fd, err := system.open(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// syncDir tolerates file systems that cannot sync a directory.
func (s steps) syncDir(dir *os.File) error {
	err := s.sync(dir)
	if err != nil && !unsupported(err) {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// Another own writer holds the lock for a few fsyncs. Waiting for one that was
// stopped in the middle ends after lockPolls * lockPause, with an error.
const (
	lockPause = time.Millisecond
	lockPolls = 5000
)

// lockDir serialises the own writers of a directory, goroutines and processes
// alike. It creates no file. Where the file system has no locks it is not held,
// and the exchange alone has to do.
func (s steps) lockDir(dir *os.File) (unlock func(), held bool, err error) {
	for range lockPolls {
		err := s.lock(int(dir.Fd()))
		switch {
		case err == nil:
			return func() { _ = unix.Flock(int(dir.Fd()), unix.LOCK_UN) }, true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			time.Sleep(lockPause)
		case noLocks(err):
			return func() {}, false, nil
		case !errors.Is(err, unix.EINTR):
			return nil, false, fmt.Errorf("lock directory: %w", err)
		}
	}
	return nil, false, errors.New("another writer holds the lock on the directory")
}

// noLocks: NFS asks for a file that is open for writing, which a directory
// never is (EBADF), or has no lock service (ENOLCK).
func noLocks(err error) bool {
	return unsupported(err) || errors.Is(err, unix.EBADF) || errors.Is(err, unix.ENOLCK)
}
