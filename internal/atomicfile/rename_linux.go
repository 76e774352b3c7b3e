package atomicfile

import "golang.org/x/sys/unix"

func renameExchange(dirfd int, a, b string) error {
	return unix.Renameat2(dirfd, a, dirfd, b, unix.RENAME_EXCHANGE)
}

func renameNoReplace(olddir int, a string, newdir int, b string) error {
	return unix.Renameat2(olddir, a, newdir, b, unix.RENAME_NOREPLACE)
}
