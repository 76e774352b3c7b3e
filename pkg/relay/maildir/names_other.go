//go:build !linux

package maildir

import (
	"os"

	"golang.org/x/sys/unix"
)

// eachName calls f with every name in an open directory, and no inode.
func eachName(fd int, _ []byte, f func(name []byte, ino uint64) error) error {
	fd, err := unix.Dup(fd)
	if err != nil {
		return err
	}
	dir := os.NewFile(uintptr(fd), "mailboxes")
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := f([]byte(n), 0); err != nil {
			return err
		}
	}
	return nil
}
