package atomicfile

import (
	"errors"
	"os"
)

// Remove takes the file away, provided that it holds expected: ErrChanged, and
// nothing was changed, where it does not. One that is not there is removed
// already, which is no error.
//
// The file is renamed aside and looked at before it is unlinked. What somebody
// saved in the last moment goes back, and is gone for the instant between.
// After ErrNotSynced the file is gone, after any other error it is there as it
// was; where it could not be put back the error names what holds it, and
// Recover takes that.
func Remove(path string, expected []byte) error {
	return at(path, func(dir *os.File, name string) error { return RemoveAt(dir, name, expected) })
}

// RemoveAt is Remove for a name in a directory that is open for reading.
func RemoveAt(dir *os.File, name string, expected []byte) error {
	return system.removeAt(dir, name, expected)
}

func (s steps) removeAt(dir *os.File, name string, expected []byte) error {
	return s.own(dir, "remove", name, func() error { return s.remove(dir, name, expected) })
}

func (s steps) remove(dir *os.File, name string, expected []byte) error {
	old, err := s.look(dir, name, expected)
	switch {
	case err != nil:
		return err
	case !old.exists:
		return nil
	case !old.holds(expected):
		return ErrChanged
	}
	t := newTemp(label{role: gone, base: name, over: markOf(expected), put: none})
	if err := s.rename(int(dir.Fd()), name, t.name); err != nil {
		// A call that failed may have been carried out all the same.
		if _, stays := identify(dir, t.name); stays != nil {
			return ignoreAbsent(err)
		}
	}
	out, err := s.look(dir, t.name, expected)
	if err == nil && out.holds(expected) {
		if err := s.discard(dir, t); err != nil {
			return errors.Join(err, s.restore(dir, t))
		}
		return notSynced(s.syncDir(dir))
	}
	return s.giveBack(err, s.restore(dir, t))
}
