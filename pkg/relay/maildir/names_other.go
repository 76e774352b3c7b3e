//go:build !linux

package maildir

import (
	"os"

	"golang.org/x/sys/unix"
)

func eachName(fd int, _ []byte, f func(name []byte) error) error {
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
		if err := f([]byte(n)); err != nil {
			return err
		}
	}
	return nil
}
