package atomicfile

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// unnamed opens a file that is in no directory: it goes with its process.
const unnamed = unix.O_TMPFILE

// linkUnnamed goes by /proc, which needs no privilege, and without /proc by the
// descriptor itself.
func linkUnnamed(f *os.File, dirfd int, name string) error {
	fd := int(f.Fd())
	err := again(func() error {
		return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd), dirfd, name, unix.AT_SYMLINK_FOLLOW)
	})
	if errors.Is(err, unix.ENOENT) {
		return again(func() error { return unix.Linkat(fd, "", dirfd, name, unix.AT_EMPTY_PATH) })
	}
	return err
}

func renameExchange(dirfd int, a, b string) error {
	return unix.Renameat2(dirfd, a, dirfd, b, unix.RENAME_EXCHANGE)
}

func renameNoReplace(olddir int, a string, newdir int, b string) error {
	return unix.Renameat2(olddir, a, newdir, b, unix.RENAME_NOREPLACE)
}
