package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

var errNotRegular = errors.New("it is not a regular file")

// fileID tells two files of one directory apart.
type fileID struct{ dev, ino uint64 }

func idOf(st *unix.Stat_t) fileID { return fileID{uint64(st.Dev), st.Ino} }

// state is what a name stands for at one moment.
type state struct {
	exists   bool
	uid, gid uint32
	mode     uint32 // permission bits
	content  []byte // cut one byte past what was asked for
}

func (s state) holds(expected []byte) bool {
	return s.exists == (expected != nil) && bytes.Equal(s.content, expected)
}

// look reads a regular file, as far as it takes to compare it with expected.
// Absence is an answer; a link, a FIFO, a directory is an error, and nothing
// blocks on it.
func (s steps) look(dir *os.File, name string, expected []byte) (state, error) {
	f, st, err := s.openRegular(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, err
	}
	defer f.Close()
	content := make([]byte, len(expected)+1)
	n, err := io.ReadFull(f, content)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return state{}, err
	}
	return state{exists: true, uid: st.Uid, gid: st.Gid, mode: uint32(st.Mode) & 0o7777, content: content[:n]}, nil
}

// seen is what a name stands for, short enough to go into a name.
type seen struct {
	id   fileID
	mark mark
}

// is reports whether it is still the same. The id alone does not tell: a file
// may be written to in place, and a number is used again.
func (s seen) is(before seen) bool {
	return s.id == before.id && (s.mark == before.mark || before.mark == other)
}

// peek tells what a name stands for, whatever that is.
func (s steps) peek(dir *os.File, name string) (seen, error) {
	f, st, err := s.openRegular(dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return seen{mark: none}, nil
	case errors.Is(err, errNotRegular):
		id, err := identify(dir, name)
		return seen{id, other}, err
	case err != nil:
		return seen{}, err
	}
	defer f.Close()
	m, err := markOfFile(f)
	return seen{idOf(&st), m}, err
}

func (s steps) openRegular(dir *os.File, name string) (*os.File, unix.Stat_t, error) {
	var st unix.Stat_t
	fd, err := s.open(int(dir.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, unix.ELOOP):
		return nil, st, fmt.Errorf("%w but a symbolic link", errNotRegular)
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV): // a socket, a device
		return nil, st, errNotRegular
	case err != nil:
		return nil, st, err
	}
	f := os.NewFile(uintptr(fd), name)
	err = again(func() error { return unix.Fstat(fd, &st) })
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errNotRegular
	}
	if err != nil {
		_ = f.Close()
		return nil, st, err
	}
	return f, st, nil
}

func identify(dir *os.File, name string) (fileID, error) {
	st, err := lstat(dir, name)
	return idOf(&st), err
}

func lstat(dir *os.File, name string) (st unix.Stat_t, err error) {
	err = again(func() error { return unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	return st, err
}
