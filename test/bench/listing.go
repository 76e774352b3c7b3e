package main

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// names in a directory, in order, as the kernel has them: no stat.
func names(dir string) ([]string, error) {
	fd, err := openFolder(unix.AT_FDCWD, dir)
	if err != nil {
		return nil, err
	}
	var all []string
	err = eachEntry(fd, make([]byte, 32<<10), func(name string, _ byte) { all = append(all, name) })
	slices.Sort(all)
	return all, errors.Join(err, unix.Close(fd))
}

func openFolder(at int, name string) (int, error) {
	return unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
}

// eachEntry of an open directory with its type (DT_DIR and so on).
func eachEntry(fd int, buf []byte, yield func(name string, kind byte)) error {
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil || n <= 0 {
			return err
		}
		parseDirents(buf[:n], yield)
	}
}

// parseDirents reads linux_dirent64: inode, offset (8 bytes each), length (2),
// type (1), name with a NUL.
func parseDirents(buf []byte, yield func(name string, kind byte)) {
	for len(buf) > 19 {
		length := int(buf[16]) | int(buf[17])<<8
		name := buf[19:length]
		name = name[:slices.Index(name, 0)]
		if s := string(name); s != "." && s != ".." {
			yield(s, buf[18])
		}
		buf = buf[length:]
	}
}

// listAll lists every directory down to a depth but those excluded by name:
// what a walk costs that remembers nothing.
func listAll(at int, name string, depth int, buf []byte) error {
	fd, err := openFolder(at, name)
	if err != nil {
		return err
	}
	var children []string
	err = eachEntry(fd, buf, func(name string, kind byte) {
		if kind == unix.DT_DIR && depth > 0 && name != ".git" && name != "node_modules" && name != ".dork" {
			children = append(children, name)
		}
	})
	for _, c := range children {
		if err == nil {
			err = listAll(fd, c, depth-1, buf)
		}
	}
	return errors.Join(err, unix.Close(fd))
}
