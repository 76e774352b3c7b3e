package atomicfile

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Rename moves a file or a directory to a name that must be free: fs.ErrExist
// where it is not, and nothing was changed. Nothing is ever overwritten.
func Rename(oldpath, newpath string) error {
	err := system.move(unix.AT_FDCWD, oldpath, unix.AT_FDCWD, newpath)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: oldpath, New: newpath, Err: err}
	}
	return nil
}

// move falls back where the call is not supported: a file is linked under its
// new name, which fails if that is taken, and a directory is renamed onto a
// name that was free a moment ago (the kernel itself refuses one that is not
// empty).
func (s steps) move(olddir int, a string, newdir int, b string) error {
	err := s.noReplace(olddir, a, newdir, b)
	if err == nil || !unsupported(err) {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstatat(olddir, a, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return renameDir(olddir, a, newdir, b)
	}
	if err := unix.Linkat(olddir, a, newdir, b, 0); err != nil {
		return err
	}
	return twice(func() error { return ignoreAbsent(s.unlink(olddir, a)) })
}

func renameDir(olddir int, a string, newdir int, b string) error {
	var st unix.Stat_t
	err := unix.Fstatat(newdir, b, &st, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case err == nil:
		return fs.ErrExist
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return unix.Renameat(olddir, a, newdir, b)
}

// unsupported: the file system, or an old kernel, does not know the call.
func unsupported(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP)
}
