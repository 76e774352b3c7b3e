package maildir

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sys/unix"
)

// stamp tells whether a file or a directory is what it was. Size and times
// alone miss half of all renames into place.
type stamp struct {
	dev, ino     uint64
	size         int64
	mtime, ctime int64
}

func stampOf(st *unix.Stat_t) stamp {
	return stamp{uint64(st.Dev), st.Ino, st.Size, st.Mtim.Nano(), st.Ctim.Nano()}
}

// sum stands for the stamp where many are kept: two that differ have the same
// one time in 2^64.
func (s stamp) sum() uint64 {
	var b [40]byte
	for i, v := range [...]uint64{s.dev, s.ino, uint64(s.size), uint64(s.mtime), uint64(s.ctime)} {
		binary.NativeEndian.PutUint64(b[8*i:], v)
	}
	return xxhash.Sum64(b[:])
}

// youth is how old a stamp must be before it is trusted. A write that races
// with the look can leave an equal stamp and other content; all that were
// measured lay within milliseconds, file systems with coarse times need 2 s.
const youth = 2 * time.Second

// settled reports whether a stamp seen at the time seen proves that a later
// equal one means equal content.
func (s stamp) settled(seen time.Time) bool {
	return seen.UnixNano()-max(s.mtime, s.ctime) > int64(youth)
}

// absent tells the two errnos that mean "not there" from all those that mean
// "could not tell".
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)
}

func isDir(st *unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFDIR }

// directory reports whether a directory stands at path. Anything else there
// counts as nothing.
func directory(path string) (bool, error) {
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	switch {
	case err == nil:
		return isDir(&st), nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, &fs.PathError{Op: "lstat", Path: path, Err: err}
}
