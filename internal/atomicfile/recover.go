package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// abandonedAfter is when a temporary file that may belong to a running write
// is taken for a crash's leftover. The longest write waits for a lock for
// seconds.
const abandonedAfter = time.Hour

// Recover finishes what a crash interrupted in a directory and reports whether
// there was anything: afterwards each file there holds its old or its new
// content, or what somebody saved in between, and the temporary files are
// gone. It costs one listing where there are none. A second call finds nothing
// to do; an absent directory is no error; after an error it can be called again.
//
// It holds the lock of the writers, so that no temporary file that it finds
// belongs to one that runs. On a file system without flock, and for the names
// of earlier versions, which do not say what they were, only those untouched
// for an hour are taken. What is not a regular file is never unlinked.
func Recover(path string) (recovered bool, err error) {
	dir, err := openDir(path)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer dir.Close()
	return RecoverAt(dir)
}

// RecoverAt is Recover for a directory that is open for reading.
func RecoverAt(dir *os.File) (recovered bool, err error) { return system.recoverAt(dir) }

func (s steps) recoverAt(dir *os.File) (recovered bool, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("clear up after a crash in %s: %w", dir.Name(), err)
		}
	}()
	names, err := s.temps(dir)
	if err != nil || len(names) == 0 {
		return false, err
	}
	unlock, held, err := s.lockDir(dir)
	if err != nil {
		return false, err
	}
	defer unlock()
	abandoned := s.abandoned(dir)
	return s.clear(dir, func(name string) bool {
		_, labelled := parseLabel(name)
		return labelled && held || abandoned(name)
	})
}

// temps lists the temporary names, through a descriptor of its own lest it
// move the caller's place in the directory.
func (s steps) temps(dir *os.File) ([]string, error) {
	fd, err := s.open(int(dir.Fd()), ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	f := os.NewFile(uintptr(fd), dir.Name())
	defer f.Close()
	names, err := f.Readdirnames(-1)
	names = slices.DeleteFunc(names, func(n string) bool { return !IsTemp(n) })
	slices.Sort(names)
	return names, err
}

// clear takes the temporary files that are wanted, and that are ours by name.
func (s steps) clear(dir *os.File, wanted func(name string) bool) (cleared bool, err error) {
	names, err := s.temps(dir)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		l, labelled := parseLabel(name)
		if !labelled && !unlabelled(name) || !wanted(name) {
			continue
		}
		did, failed := true, error(nil)
		if labelled {
			did, failed = s.resolve(dir, temp{l, name})
		} else {
			failed = s.discard(dir, temp{name: name})
		}
		cleared, err = cleared || did, errors.Join(err, failed)
	}
	if cleared {
		err = errors.Join(err, s.syncDir(dir))
	}
	return cleared, err
}

// resolve brings the write that left t to one of its two ends.
func (s steps) resolve(dir *os.File, t temp) (did bool, err error) {
	here, err := s.peek(dir, t.name)
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", t.name, err)
	}
	there, err := s.peek(dir, t.base)
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", t.base, err)
	}
	switch t.decide(here.mark, there.mark) {
	case discard:
		return true, s.discard(dir, t)
	case swap:
		return true, s.putBack(dir, t, there)
	case restore:
		return true, s.restore(dir, t)
	case leave:
	}
	return false, nil
}

// verdict is what becomes of a temporary file.
type verdict uint8

const (
	leave   verdict = iota
	discard         // its content is ours, or another file has superseded it
	swap            // it is somebody's save that our file has displaced
	restore         // likewise, and nothing is in its place
)

// decide tells from what the temporary name and its target stand for. Doubt is
// an error before it comes to this.
func (l label) decide(here, there mark) verdict {
	wanted := here != none && !l.spent(here)
	switch {
	case wanted && l.displaced(here, there):
		return swap
	case wanted && there == none:
		return restore
	case here == none, here == other:
		return leave
	}
	return discard
}

// spent: the temporary file is not, or no longer, what belongs in the target.
func (l label) spent(here mark) bool {
	switch l.role {
	case part:
		return true
	case next:
		return here == l.put || here == l.over
	case back, gone:
		return here == l.over
	}
	return false
}

// displaced: the target holds what the temporary file has to take the place
// of: our content that nobody verified, or the older one of two saves.
func (l label) displaced(here, there mark) bool {
	switch l.role {
	case next:
		return there == l.put
	case back:
		return there == l.over || there == l.put && here != l.put
	case part, gone:
		return false
	}
	return false
}

// abandoned tells regular files that nobody has touched for long, by the clock
// of the file system. Where that cannot be asked none is.
func (s steps) abandoned(dir *os.File) func(name string) bool {
	clock := sync.OnceValues(func() (time.Time, bool) { return s.now(dir) })
	return func(name string) bool {
		st, err := lstat(dir, name)
		if err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
			return false
		}
		now, ok := clock()
		return ok && now.Sub(touched(&st)) >= abandonedAfter
	}
}

// clock is the time of the file system, which may be another machine's: that
// of a file that is made now.
func clock(dir *os.File) (time.Time, bool) {
	fd, err := unix.Openat(int(dir.Fd()), ".", unnamed|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return time.Time{}, false
	}
	f := os.NewFile(uintptr(fd), dir.Name())
	defer f.Close()
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return time.Time{}, false
	}
	return touched(&st), true
}

// touched is the last change of a file, its names included.
func touched(st *unix.Stat_t) time.Time { return time.Unix(st.Ctim.Unix()) }
