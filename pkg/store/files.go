package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// resolve is the path without links, as SQLite resolves it: the -wal and the
// lock stand beside the real file. A file that is not there yet is named in its
// real directory.
func resolve(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real, nil
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(dir, filepath.Base(abs)), nil
	}
	return abs, nil
}

// stamped is what tells one state of a file from the next. Size and mtime alone
// miss half of all replacements by rename, hence inode and ctime.
type stamped struct {
	id           agent.FileID
	size         int64
	mtime, ctime int64 // ns
}

// look is the state of the database and of its -wal.
type look struct{ db, wal stamped }

func stampOf(path string) (stamped, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return stamped{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return stamped{
		id:    agent.FileID{Dev: uint64(st.Dev), Ino: st.Ino},
		size:  st.Size,
		mtime: time.Unix(st.Mtim.Unix()).UnixNano(),
		ctime: time.Unix(st.Ctim.Unix()).UnixNano(),
	}, nil
}

// lookAt reads the stamps; a file that is not there is zero, and so is an empty
// -wal, which holds nothing and comes and goes with connections that only read.
func lookAt(path string) (look, error) {
	db, err := stampOf(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return look{}, err
	}
	wal, err := stampOf(path + "-wal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return look{}, err
	}
	if wal.size == 0 {
		wal = stamped{}
	}
	return look{db, wal}, nil
}

// racyWindow: a file that was written less than this before it was looked at may
// be written again without its stamp moving. Smaller misses writers on file
// systems with coarse times (FAT: 2 s); larger costs a scan after each write.
const racyWindow = 2 * time.Second

func (l look) racy(at time.Time) bool {
	if at.IsZero() {
		return true
	}
	limit := at.Add(-racyWindow).UnixNano()
	return max(l.db.mtime, l.db.ctime, l.wal.mtime, l.wal.ctime) > limit
}

// createFile makes an empty file that only its owner can read, whatever the
// umask, before there is anything in it. One that exists is left as it is.
func createFile(path string, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(mode), f.Close())
}

// createDir makes the directory of a database, and those above it, for the
// owner only. Directories that exist keep their modes.
func createDir(dir string) error { return os.MkdirAll(dir, 0o700) }

// createSides makes the -wal (where one is going to be used) and the -shm with
// the mode of the database: SQLite would leave the -shm to the umask.
func createSides(path string, wal bool) error {
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	mode := fi.Mode().Perm() & 0o666
	if wal {
		if err := createFile(path+"-wal", mode); err != nil {
			return err
		}
	}
	return createFile(path+"-shm", mode)
}

// header is what the first bytes of a file say about it, read without SQLite:
// a file that is not a database is never handed to it.
type header struct {
	empty, sqlite, wal bool
}

func readHeader(path string) (header, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil {
		return header{}, err
	} else if !fi.Mode().IsRegular() {
		return header{}, fmt.Errorf("%s is not a regular file", path)
	}
	var b [100]byte
	n, err := io.ReadFull(f, b[:])
	if n == 0 && errors.Is(err, io.EOF) {
		return header{empty: true}, nil
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return header{}, err
	}
	return header{
		sqlite: n == len(b) && string(b[:16]) == "SQLite format 3\x00",
		wal:    b[18] == 2 && b[19] == 2,
	}, nil
}

// uri names the file to SQLite.
func uri(path string, params url.Values) string {
	u := url.URL{Scheme: "file", Path: path, RawQuery: params.Encode()}
	return u.String()
}
