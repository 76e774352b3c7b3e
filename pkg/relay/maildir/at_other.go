//go:build !linux

package maildir

import "golang.org/x/sys/unix"

// lookAt is an lstat of name, which ends in NUL, relative to dirfd.
func lookAt(dirfd int, name []byte) (at stamp, dir bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dirfd, string(name[:len(name)-1]), &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return stamp{}, false, err
	}
	return stampOf(&st), isDir(&st), nil
}

// mkdirAt makes a directory of mode 0700 and the name, which ends in NUL,
// relative to dirfd.
func mkdirAt(dirfd int, name []byte) error {
	return unix.Mkdirat(dirfd, string(name[:len(name)-1]), 0o700)
}
