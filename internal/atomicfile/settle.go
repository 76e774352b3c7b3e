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
//
// He may save again before it is back: then the swap brings out his newer file
// instead of ours, which must not be lost either. The newest foreign file has
// to end in place, so swapping goes on until what comes out is ours or is the
// foreign file that the newer one replaced.
func (s steps) settle(dir *os.File, name string, t temp, expected []byte) error {
	out, err := look(dir, t.name)
	if err == nil && out.holds(expected) {
		return t.remove(dir)
	}
	// put is the file whose place in the directory the last swap restored.
	put := t.id
	for range maxSwaps {
		back, err := identify(dir, t.name)
		if err != nil {
			return s.stranded(dir, t, err)
		}
		err = s.exchange(int(dir.Fd()), t.name, name)
		if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile: his save goes back all the same
			err = s.rename(int(dir.Fd()), t.name, int(dir.Fd()), name)
			if err == nil {
				return ErrChanged
			}
		}
		if err != nil {
			return s.stranded(dir, t, err)
		}
		out, err := identify(dir, t.name)
		if err != nil {
			return s.stranded(dir, t, err)
		}
		if out == put {
			return errors.Join(ErrChanged, t.remove(dir))
		}
		put = back
	}
	return s.stranded(dir, t, errors.New("somebody replaces it without pause"))
}

// stranded is the one case in which a temporary file stays: it holds another
// program's save, and removing it would lose that.
func (steps) stranded(dir *os.File, t temp, err error) error {
	return fmt.Errorf("somebody else's save is kept as %s/%s: %w", dir.Name(), t.name, err)
}
