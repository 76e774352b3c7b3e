package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	// ErrChanged: the file does not hold what was expected (or is there, where it
	// was expected not to be). Nothing was changed; read again and start over.
	ErrChanged = errors.New("file changed in the meantime")

	// ErrNotSynced: the change was made and every reader sees it, but its
	// directory could not be synced: a power failure may still undo it.
	ErrNotSynced = errors.New("the directory could not be synced")
)

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
// written through. After ErrNotSynced the file holds the new content, after
// any other error the old. A temporary file stays only where removing it, or
// putting back somebody's save, failed twice: the error then names it and
// Recover takes it. Calling it again is always safe.
func Replace(path string, expected, next []byte, o Options) error {
	return at(path, func(dir *os.File, name string) error { return ReplaceAt(dir, name, expected, next, o) })
}

// ReplaceAt is Replace for a name in a directory that is open for reading.
func ReplaceAt(dir *os.File, name string, expected, next []byte, o Options) error {
	return system.replaceAt(dir, name, expected, next, o)
}

// at opens the directory of a path.
func at(path string, do func(dir *os.File, name string) error) error {
	dir, err := openDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return do(dir, filepath.Base(path))
}

func (s steps) replaceAt(dir *os.File, name string, expected, next []byte, o Options) error {
	if expected == nil {
		err := s.writeNewAt(dir, name, next, o)
		if errors.Is(err, fs.ErrExist) {
			return ErrChanged
		}
		return err
	}
	return s.own(dir, "replace", name, func() error { return s.replace(dir, name, expected, next) })
}

// own runs a write as the only own one in its directory, after whatever a
// crash left of an earlier one: a save of somebody else's that waits to go
// back would be taken for an older one once the target is written again.
func (s steps) own(dir *os.File, verb, name string, write func() error) error {
	unlock, held, err := s.lockDir(dir)
	if err == nil {
		defer unlock()
		if held {
			_, err = s.clear(dir, func(left string) bool {
				l, ok := parseLabel(left)
				return ok && l.base == name
			})
		}
	}
	if err == nil {
		err = write()
	}
	if err != nil && !errors.Is(err, ErrChanged) {
		return fmt.Errorf("%s %s: %w", verb, filepath.Join(dir.Name(), name), err)
	}
	return err
}

func notSynced(err error) error {
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotSynced, err)
	}
	return nil
}

func (s steps) replace(dir *os.File, name string, expected, content []byte) error {
	old, err := s.look(dir, name, expected)
	if err != nil {
		return err
	}
	if !old.holds(expected) {
		return ErrChanged
	}
	t := newTemp(label{role: next, base: name, over: markOf(expected), put: markOf(content)})
	ours, err := s.place(dir, t.label, t.name, content, dressOf(old))
	if err == nil {
		err = s.publish(dir, t, ours, expected)
	} else {
		err = errors.Join(err, s.discard(dir, t))
	}
	if err != nil {
		return err
	}
	return notSynced(s.syncDir(dir))
}

// publish puts the temporary file in its place and leaves none behind.
func (s steps) publish(dir *os.File, t temp, ours fileID, expected []byte) error {
	err := s.swapped(dir, t, ours)
	switch {
	case err == nil:
		return s.settle(dir, t, ours, expected)
	case unsupported(err):
		return s.publishPlain(dir, t, ours, expected)
	case errors.Is(err, fs.ErrNotExist):
		err = ErrChanged // deleted since it was read
	}
	return errors.Join(err, s.discard(dir, t))
}

// swapped exchanges t, which is the file was, with its target. A call that
// failed may have been carried out all the same: then it did not fail.
func (s steps) swapped(dir *os.File, t temp, was fileID) error {
	err := s.exchange(int(dir.Fd()), t.name, t.base)
	if err != nil {
		if now, lost := identify(dir, t.name); lost == nil && now != was {
			return nil
		}
	}
	return err
}

// publishPlain is for file systems that cannot exchange: what is there is read
// once more just before the rename.
func (s steps) publishPlain(dir *os.File, t temp, ours fileID, expected []byte) error {
	now, err := s.look(dir, t.base, expected)
	if err == nil && !now.holds(expected) {
		err = ErrChanged
	}
	if err == nil {
		err = s.rename(int(dir.Fd()), t.name, t.base)
	}
	if err == nil {
		return nil
	}
	if is, lost := identify(dir, t.base); lost == nil && is == ours {
		return nil // carried out all the same
	}
	return errors.Join(err, s.discard(dir, t))
}
