package maildir

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// lookAt is an lstat of name, which ends in NUL, relative to dirfd. It goes
// past unix.Fstatat because that copies the name, which would be the only
// allocation of a quiet List; so do the others here.
func lookAt(dirfd int, name []byte) (at stamp, dir bool, err error) {
	var st unix.Statx_t
	for {
		_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(dirfd), uintptr(unsafe.Pointer(unsafe.SliceData(name))),
			unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, uintptr(unsafe.Pointer(&st)), 0)
		if errno == 0 {
			break
		}
		if errno != unix.EINTR {
			return stamp{}, false, errno
		}
	}
	at = stamp{
		dev:   unix.Mkdev(st.Dev_major, st.Dev_minor),
		ino:   st.Ino,
		size:  int64(st.Size),
		mtime: st.Mtime.Sec*1e9 + int64(st.Mtime.Nsec),
		ctime: st.Ctime.Sec*1e9 + int64(st.Ctime.Nsec),
	}
	return at, st.Mode&unix.S_IFMT == unix.S_IFDIR, nil
}

// mkdirAt makes a directory of mode 0700 and the name, which ends in NUL,
// relative to dirfd.
func mkdirAt(dirfd int, name []byte) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_MKDIRAT, uintptr(dirfd), uintptr(unsafe.Pointer(unsafe.SliceData(name))), 0o700)
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}
