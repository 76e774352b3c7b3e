package atomicfile

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// tempPrefix makes leftovers of a crash recognisable. No name that the
// original uses for its own temporary files begins like this.
const tempPrefix = ".mesh-controller."

// IsTemp reports whether a file name is one of this package's temporary names.
// A temporary file that is older than any running write is a crash's leftover
// and may be removed.
func IsTemp(name string) bool { return strings.HasPrefix(name, tempPrefix) }

// temp is the temporary file of one write.
type temp struct {
	name string
	id   fileID
}

// writeTemp writes and syncs the new content under a name that nobody uses,
// with the mode and the owner of the old file. Nothing is left after an error.
func writeTemp(dir *os.File, base string, content []byte, old state, o Options) (t temp, err error) {
	t.name = tempPrefix + base + "." + randomHex()
	fd, err := unix.Openat(int(dir.Fd()), t.name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return t, fmt.Errorf("create temporary file: %w", err)
	}
	f := os.NewFile(uintptr(fd), t.name)
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(err, t.remove(dir))
		}
	}()
	if _, err := f.Write(content); err != nil {
		return t, err
	}
	if err := dress(f, old, o); err != nil {
		return t, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return t, err
	}
	t.id = idOf(&st)
	return t, f.Sync()
}

// dress gives the new file the owner and the mode of the old one. An owner
// that cannot be kept is an error: the file would otherwise become unreadable
// for whom it belongs to.
func dress(f *os.File, old state, o Options) error {
	if !old.exists {
		mode := o.Mode.Perm()
		if mode == 0 {
			mode = 0o600
		}
		return f.Chmod(mode)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	if st.Uid != old.uid || st.Gid != old.gid {
		if err := f.Chown(int(old.uid), int(old.gid)); err != nil {
			return fmt.Errorf("keep owner %d:%d: %w", old.uid, old.gid, err)
		}
	}
	return unix.Fchmod(int(f.Fd()), old.mode)
}

// remove is for the failure paths and the file that came out.
func (t temp) remove(dir *os.File) error {
	err := unix.Unlinkat(int(dir.Fd()), t.name, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove temporary file %s: %w", t.name, err)
	}
	return nil
}

func randomHex() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// fileID tells two files of one directory apart.
type fileID struct{ dev, ino uint64 }

func idOf(st *unix.Stat_t) fileID { return fileID{uint64(st.Dev), st.Ino} }

func identify(dir *os.File, name string) (fileID, error) {
	var st unix.Stat_t
	err := unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return idOf(&st), err
}

// state is what a name stands for at one moment.
type state struct {
	exists   bool
	uid, gid uint32
	mode     uint32 // permission bits
	content  []byte
}

func (s state) holds(expected []byte) bool {
	return s.exists == (expected != nil) && bytes.Equal(s.content, expected)
}

// look reads a regular file. Absence is an answer; a link, a FIFO, a directory
// is an error, and nothing blocks on it.
func look(dir *os.File, name string) (state, error) {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return state{}, nil
	case errors.Is(err, unix.ELOOP):
		return state{}, fmt.Errorf("it is a symbolic link: %w", err)
	case err != nil:
		return state{}, err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return state{}, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return state{}, errors.New("it is not a regular file")
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return state{}, err
	}
	return state{exists: true, uid: st.Uid, gid: st.Gid, mode: uint32(st.Mode) & 0o7777, content: content}, nil
}
