package atomicfile

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// steps are the system calls by which this package opens and changes things. A
// test makes each of them fail, or be the last of its process.
type steps struct {
	open  func(dirfd int, name string, flags int, perm uint32) (int, error)
	write func(f *os.File, content []byte) error
	chown func(f *os.File, uid, gid int) error
	chmod func(f *os.File, mode uint32) error
	sync  func(f *os.File) error
	// link names a file that was opened without a name; the name must be free.
	link     func(f *os.File, dirfd int, name string) error
	exchange func(dirfd int, a, b string) error
	// noReplace renames to a name that must be free.
	noReplace func(olddir int, a string, newdir int, b string) error
	rename    func(dirfd int, a, b string) error
	unlink    func(dirfd int, name string) error
	// lock is the one of a directory's writers; it does not wait.
	lock func(dirfd int) error
	// now is the clock of the file system, where it can be asked.
	now func(dir *os.File) (time.Time, bool)
}

var system = steps{
	open: func(dirfd int, name string, flags int, perm uint32) (fd int, err error) {
		err = again(func() error {
			fd, err = unix.Openat(dirfd, name, flags|unix.O_CLOEXEC, perm)
			return err
		})
		return fd, err
	},
	write: func(f *os.File, content []byte) error {
		_, err := f.Write(content)
		return err
	},
	chown: (*os.File).Chown,
	chmod: func(f *os.File, mode uint32) error {
		return again(func() error { return unix.Fchmod(int(f.Fd()), mode) })
	},
	sync: (*os.File).Sync,
	link: linkUnnamed,
	exchange: func(dirfd int, a, b string) error {
		return again(func() error { return renameExchange(dirfd, a, b) })
	},
	noReplace: func(olddir int, a string, newdir int, b string) error {
		return again(func() error { return renameNoReplace(olddir, a, newdir, b) })
	},
	rename: func(dirfd int, a, b string) error {
		return again(func() error { return unix.Renameat(dirfd, a, dirfd, b) })
	},
	unlink: func(dirfd int, name string) error {
		return again(func() error { return unix.Unlinkat(dirfd, name, 0) })
	},
	lock: func(dirfd int) error { return unix.Flock(dirfd, unix.LOCK_EX|unix.LOCK_NB) },
	now:  clock,
}

// again repeats a call that a signal interrupted.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// twice repeats a clean-up that failed: nobody else comes by before the next
// Recover.
func twice(call func() error) error {
	if call() == nil {
		return nil
	}
	return call()
}
