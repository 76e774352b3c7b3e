package sources

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// statMask is what a look wants to know. STATX_MNT_ID needs Linux 5.8; before
// that its bit is missing in the answer and the mount is told by the path.
const statMask = unix.STATX_TYPE | unix.STATX_MODE | unix.STATX_NLINK | unix.STATX_INO | unix.STATX_SIZE |
	unix.STATX_MTIME | unix.STATX_CTIME | unix.STATX_MNT_ID

// statAt is a stat relative to dir; flags as for statx.
func statAt(dir int, name string, flags int) (st unix.Statx_t, err error) {
	err = again(func() error { return unix.Statx(dir, name, flags, statMask, &st) })
	return st, err
}

// statFD is fstat.
func statFD(fd int) (st unix.Statx_t, err error) {
	if errno := rawStatx(fd, emptyName, unix.AT_EMPTY_PATH, &st); errno != 0 {
		err = errno
	}
	return st, err
}

// lstatAt does not follow a link at the end of name.
func lstatAt(dir int, name string) (unix.Statx_t, error) {
	return statAt(dir, name, unix.AT_SYMLINK_NOFOLLOW)
}

// again repeats a call that a signal interrupted.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// absent reports whether the errno is an absence. errors.Is(ENOTDIR,
// fs.ErrNotExist) is false.
func absent(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) }

// refused reports whether the errno is a want of permission.
func refused(err error) bool { return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) }

// errnoName is "EIO: input/output error".
func errnoName(err error) string {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		if name := unix.ErrnoName(errno); name != "" {
			return name + ": " + errno.Error()
		}
	}
	return err.Error()
}

func kindOf(st *unix.Statx_t) uint16 { return st.Mode & unix.S_IFMT }

func fileID(st *unix.Statx_t) agent.FileID {
	return agent.FileID{Dev: unix.Mkdev(st.Dev_major, st.Dev_minor), Ino: st.Ino}
}

// kindName is what a file that should be regular is instead.
func kindName(st *unix.Statx_t) string {
	switch kindOf(st) {
	case unix.S_IFLNK:
		return "a symbolic link"
	case unix.S_IFDIR:
		return "a directory"
	case unix.S_IFIFO:
		return "a named pipe"
	case unix.S_IFSOCK:
		return "a socket"
	case unix.S_IFCHR, unix.S_IFBLK:
		return "a device"
	case unix.S_IFREG:
		return "a regular file"
	}
	return "of an unknown kind"
}
