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
	return syncFile(dir)
}

func openDir(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// syncFile tolerates file systems that cannot sync a directory.
func syncFile(dir *os.File) error {
	err := dir.Sync()
	if err != nil && !errors.Is(err, unix.EINVAL) && !unsupported(err) {
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
// alike. It creates no file. Where the file system has no locks the exchange
// alone has to do.
func lockDir(dir *os.File) (unlock func(), err error) {
	for range lockPolls {
		err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = unix.Flock(int(dir.Fd()), unix.LOCK_UN) }, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			time.Sleep(lockPause)
		case !errors.Is(err, unix.EINTR):
			return func() {}, nil
		}
	}
	return nil, errors.New("another writer holds the lock on the directory")
}
