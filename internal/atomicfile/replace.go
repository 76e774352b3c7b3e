package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrChanged: the file does not hold what was expected (or is there, where it
// was expected not to be). Nothing was changed; read again and start over.
var ErrChanged = errors.New("file changed in the meantime")

// Options of a write. The zero value is right for most.
type Options struct {
	// Mode of a file that is new. Zero means 0600. An existing file keeps its
	// own. The umask does not apply.
	Mode fs.FileMode
}

// Replace makes path hold next, provided that it holds expected. A nil expected
// means that the file must not exist; an empty one that it must be empty.
//
// It returns ErrChanged, and has changed nothing, when that does not hold. A
// link or anything else that is not a regular file is an error and is never
// written through. After any other error the file holds the old or, if only
// the final sync failed, the new content; no temporary file is left, with the
// one exception that the error then names. Calling it again is always safe.
func Replace(path string, expected, next []byte, o Options) error {
	dir, err := openDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return ReplaceAt(dir, filepath.Base(path), expected, next, o)
}

// ReplaceAt is Replace for a name in a directory that is already open.
func ReplaceAt(dir *os.File, name string, expected, next []byte, o Options) error {
	return system.replaceAt(dir, name, expected, next, o)
}

// WriteNew publishes a file that must not exist yet. Where it does, whatever
// it is, the error is fs.ErrExist and nothing was changed; so of two calls for
// one path one fails.
func WriteNew(path string, content []byte, o Options) error {
	err := Replace(path, nil, content, o)
	if errors.Is(err, ErrChanged) {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	return err
}

// steps are the system calls whose support depends on the file system.
type steps struct {
	exchange  func(dirfd int, a, b string) error
	noReplace func(olddir int, a string, newdir int, b string) error
}

var system = steps{exchange: renameExchange, noReplace: renameNoReplace}

func (s steps) replaceAt(dir *os.File, name string, expected, next []byte, o Options) (err error) {
	defer func() {
		if err != nil && !errors.Is(err, ErrChanged) {
			err = fmt.Errorf("replace %s: %w", filepath.Join(dir.Name(), name), err)
		}
	}()
	unlock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := look(dir, name)
	if err != nil {
		return err
	}
	if !old.holds(expected) {
		return ErrChanged
	}
	t, err := writeTemp(dir, name, next, old, o)
	if err != nil {
		return err
	}
	if err := s.publish(dir, name, t, expected); err != nil {
		return err
	}
	return syncFile(dir)
}

// publish puts the temporary file in its place and leaves none behind.
func (s steps) publish(dir *os.File, name string, t temp, expected []byte) error {
	if expected == nil {
		return s.publishNew(dir, name, t)
	}
	err := s.exchange(int(dir.Fd()), t.name, name)
	switch {
	case err == nil:
		return s.settle(dir, name, t, expected)
	case unsupported(err):
		return publishPlain(dir, name, t, expected)
	case errors.Is(err, fs.ErrNotExist):
		err = ErrChanged // deleted since it was read
	}
	return errors.Join(err, t.remove(dir))
}

func (s steps) publishNew(dir *os.File, name string, t temp) error {
	err := s.rename(int(dir.Fd()), t.name, int(dir.Fd()), name)
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrExist) {
		err = ErrChanged
	}
	return errors.Join(err, t.remove(dir))
}

// publishPlain is for file systems that cannot exchange: what is there is read
// once more just before the rename.
func publishPlain(dir *os.File, name string, t temp, expected []byte) error {
	now, err := look(dir, name)
	if err == nil && !now.holds(expected) {
		err = ErrChanged
	}
	if err == nil {
		err = unix.Renameat(int(dir.Fd()), t.name, int(dir.Fd()), name)
	}
	if err != nil {
		return errors.Join(err, t.remove(dir))
	}
	return nil
}
