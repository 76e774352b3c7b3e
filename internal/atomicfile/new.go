package atomicfile

import (
	"io/fs"
	"os"
)

// WriteNew publishes a file that must not exist yet. Where it does, whatever
// it is, the error is fs.ErrExist and nothing was changed; so of two calls for
// one path one fails. After ErrNotSynced the file is there, after any other
// error it is not.
func WriteNew(path string, content []byte, o Options) error {
	return at(path, func(dir *os.File, name string) error { return WriteNewAt(dir, name, content, o) })
}

// WriteNewAt is WriteNew for a name in a directory that is open for reading.
func WriteNewAt(dir *os.File, name string, content []byte, o Options) error {
	return system.writeNewAt(dir, name, content, o)
}

func (s steps) writeNewAt(dir *os.File, name string, content []byte, o Options) error {
	return s.own(dir, "create", name, func() error {
		if _, err := lstat(dir, name); err == nil {
			return fs.ErrExist
		}
		l := label{base: name, over: none, put: markOf(content)}
		if _, err := s.place(dir, l, name, content, freshDress(o)); err != nil {
			return err
		}
		return notSynced(s.syncDir(dir))
	})
}
