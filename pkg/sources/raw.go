package sources

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of a sweep and of a probe, without the copy of the name that
// golang.org/x/sys/unix makes: it would be all that a quiet sweep allocates.
// Each name ends in NUL.

// emptyName, with AT_EMPTY_PATH, is the file that the descriptor is open on.
var emptyName = cName("\x00")

// cName is the address of a name; s ends in NUL and is not changed.
func cName(s string) *byte { return unsafe.StringData(s) }

func rawStatx(dir int, name *byte, flags int, st *unix.Statx_t) unix.Errno {
	for {
		_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(dir), uintptr(unsafe.Pointer(name)),
			uintptr(flags), statMask, uintptr(unsafe.Pointer(st)), 0)
		if errno != unix.EINTR {
			return errno
		}
	}
}

func rawOpenat2(dir int, name *byte, how *unix.OpenHow) (int, unix.Errno) {
	for {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT2, uintptr(dir), uintptr(unsafe.Pointer(name)),
			uintptr(unsafe.Pointer(how)), unix.SizeofOpenHow, 0, 0)
		if errno != unix.EINTR {
			return int(fd), errno
		}
	}
}
