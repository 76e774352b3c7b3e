package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/sys/unix"
)

// Why a database cannot be used. They come inside an *UnusableError.
var (
	ErrCorrupt = errors.New("corrupt")
	ErrForeign = errors.New("not an index of agents")
	ErrTooOld  = errors.New("too old")
	ErrTooNew  = errors.New("too new")
	ErrMissing = errors.New("not there")
)

// ErrReadOnly: the store was opened for reading.
var ErrReadOnly = errors.New("the index is open for reading only")

// UnusableError says that the database at Path cannot be used and was not
// touched, and what to do. The command exits 3 on it.
type UnusableError struct {
	Path string
	Kind error  // one of the sentinels above
	Todo string // what was found and what to do about it
	Err  error  // what SQLite said, if anything
}

// Error reads "index /p/mesh.db is too new: ...".
func (e *UnusableError) Error() string {
	s := fmt.Sprintf("index %s is %v: %s", e.Path, e.Kind, e.Todo)
	if e.Err != nil {
		s += " (" + e.Err.Error() + ")"
	}
	return s
}

// Unwrap makes both the kind and the cause visible to errors.Is.
func (e *UnusableError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

const corruptTodo = "it was left as it is; stop DorkOS and the controller, keep a copy, " +
	"and restore a backup (or move the file away: the index is rebuilt from the manifests)"

// explain turns corruption into an UnusableError and names a full disk, which
// SQLite often reports as a mere "disk I/O error".
func (s *Store) explain(err error) error {
	if _, unusable := errors.AsType[*UnusableError](err); unusable || err == nil {
		return err
	}
	if errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB) {
		return &UnusableError{Path: s.path, Kind: ErrCorrupt, Todo: corruptTodo, Err: err}
	}
	if errors.Is(err, sqlite3.IOERR) || errors.Is(err, sqlite3.FULL) || errors.Is(err, unix.ENOSPC) {
		if hint := fullHint(filepath.Dir(s.path)); hint != "" {
			return fmt.Errorf("%w (%s)", err, hint)
		}
	}
	return err
}

// ended names the end of a context as the cause of what SQLite calls an
// interrupt or a lock that was not to be had in time.
func ended(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w (%w)", cause, err)
}

// fullBelow is the free space under which a failed write is put down to a full
// disk; a -wal grows to about 4 MiB before it is checkpointed.
const fullBelow = 4 << 20

func fullHint(dir string) string {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return ""
	}
	free := st.Bavail * uint64(st.Bsize)
	switch {
	case free < fullBelow:
		return fmt.Sprintf("the disk of %s is full: %d KiB free", dir, free>>10)
	case st.Files > 0 && st.Ffree == 0:
		return fmt.Sprintf("the disk of %s has no inodes left", dir)
	}
	return ""
}
