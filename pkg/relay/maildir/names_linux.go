package maildir

import (
	"bytes"
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// eachName calls f with every name in an open directory and the inode that the
// directory has for it. The bytes are valid only during the call: a known name
// costs no allocation.
func eachName(fd int, buf []byte, f func(name []byte, ino uint64) error) error {
	const lengthAt, nameAt = 16, 19 // of struct linux_dirent64
	for {
		n, err := unix.Getdents(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return err
		}
		for rest := buf[:n]; len(rest) > nameAt; {
			length := int(binary.NativeEndian.Uint16(rest[lengthAt:]))
			name, ino := rest[nameAt:length], binary.NativeEndian.Uint64(rest)
			rest = rest[length:]
			if i := bytes.IndexByte(name, 0); i >= 0 {
				name = name[:i]
			}
			if string(name) == "." || string(name) == ".." {
				continue
			}
			if err := f(name, ino); err != nil {
				return err
			}
		}
	}
}
