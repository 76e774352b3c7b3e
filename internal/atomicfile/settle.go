package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// maxSwaps bounds how often somebody else may replace the file within the
// microseconds between two exchanges.
const maxSwaps = 100

// settle looks at what came out of the exchange, now under the temporary name.
// If it is what was expected, it goes and the new content stays. If not,
// somebody saved between our look and the exchange, and his save goes back.
func (s steps) settle(dir *os.File, t temp, ours fileID, expected []byte) error {
	out, err := s.look(dir, t.name, expected)
	if err == nil && out.holds(expected) {
		return s.discard(dir, t)
	}
	return s.giveBack(err, s.putBack(dir, t, seen{ours, t.put}))
}

// giveBack is the outcome of a write after which something else than expected
// was found and returned to its place: looked and returned are the errors of
// the two.
func (steps) giveBack(looked, returned error) error {
	if errors.Is(looked, errNotRegular) {
		looked = nil
	}
	if looked == nil && returned == nil {
		return ErrChanged
	}
	return errors.Join(looked, returned)
}

// putBack returns what t holds to its place, where over is now.
//
// Its owner may save again before it is back: then the swap brings out his
// newer file instead of over, which must not be lost either. The newest
// foreign file has to end in place, so swapping goes on until what comes out
// is over or is the foreign file that the newer one replaced. Each time the
// name says which is which, or a crash would leave two saves of which nobody
// knows the newer.
func (s steps) putBack(dir *os.File, t temp, over seen) error {
	for range maxSwaps {
		here, err := s.peekAnything(dir, t.name)
		if err != nil {
			return stranded(dir, t, err)
		}
		t = s.relabel(dir, t, label{role: back, base: t.base, over: over.mark, put: here.mark})
		err = twice(func() error { return s.swapIn(dir, t, here) })
		if errors.Is(err, errMoved) {
			return s.syncDir(dir)
		}
		if err != nil {
			return stranded(dir, t, err)
		}
		out, err := s.peekAnything(dir, t.name)
		if err == nil && out.id == over.id && out.mark == other && over.mark != other {
			err = errors.New("what came out cannot be read")
		}
		if err != nil {
			return stranded(dir, t, err)
		}
		if out.is(over) {
			return errors.Join(s.syncDir(dir), s.discard(dir, t))
		}
		over = here
	}
	return stranded(dir, t, errors.New("somebody replaces it without pause"))
}

// peekAnything is peek for what need not be readable.
func (s steps) peekAnything(dir *os.File, name string) (what seen, err error) {
	err = twice(func() error {
		what, err = s.peek(dir, name)
		return err
	})
	if err != nil {
		what.mark = other
		what.id, err = identify(dir, name)
	}
	if err == nil && what.mark == none {
		err = fs.ErrNotExist
	}
	return what, err
}

// relabel is an aid for whoever finds the file after a crash: where it fails
// the work goes on under the old name.
func (s steps) relabel(dir *os.File, t temp, l label) temp {
	fresh := newTemp(l)
	if twice(func() error { return s.rename(int(dir.Fd()), t.name, fresh.name) }) != nil {
		return t
	}
	return fresh
}

// errMoved: nothing was in the place, so that nothing came out of it.
var errMoved = errors.New("moved")

// swapIn puts t, which is here, in its place, whether or not that is taken.
func (s steps) swapIn(dir *os.File, t temp, here seen) error {
	err := s.swapped(dir, t, here.id)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.move(int(dir.Fd()), t.name, int(dir.Fd()), t.base); err != nil {
		return err
	}
	return errMoved
}

// restore returns what t holds to its place unless something is there: that is
// newer, and what t holds has been superseded.
func (s steps) restore(dir *os.File, t temp) error {
	err := twice(func() error {
		err := s.move(int(dir.Fd()), t.name, int(dir.Fd()), t.base)
		if errors.Is(err, fs.ErrExist) {
			return s.discard(dir, t)
		}
		return err
	})
	if err != nil {
		return stranded(dir, t, err)
	}
	return s.syncDir(dir)
}

// stranded is the one case in which a temporary file stays on purpose: it holds
// another program's save, and removing it would lose that.
func stranded(dir *os.File, t temp, err error) error {
	return fmt.Errorf("somebody else's save is kept as %s/%s: %w", dir.Name(), t.name, err)
}
