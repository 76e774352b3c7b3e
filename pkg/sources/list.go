package sources

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// dentsBuffer holds about a thousand entries; a larger one saves no call for
// ordinary directories.
const dentsBuffer = 32 << 10

var dentsBuffers = sync.Pool{New: func() any { return new([dentsBuffer]byte) }}

// list learns what is in the directory in hand, which fd is open on. The stamp
// is taken first: what changes in between is seen again.
func (w *walker) list(n *node, fd int) error {
	w.stats++
	st, err := statFD(fd)
	if err != nil {
		return err
	}
	w.names = w.names[:0]
	n.entries, n.dork = 0, noDork
	dents, _ := dentsBuffers.Get().(*[dentsBuffer]byte)
	defer dentsBuffers.Put(dents)
	for {
		size, err := unix.ReadDirent(fd, dents[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if size <= 0 {
			break
		}
		w.pulse.beat()
		w.take(n, fd, dents[:size])
		if w.pulse.stopped() || w.crew.entries.Load()+int64(n.entries) > w.terms.bound {
			break // whoever called ends here too
		}
	}
	slices.Sort(w.names)
	if n.adopt(w.names) {
		w.moved = true
	}
	n.stamp = stampOf(&st)
	n.settled = n.stamp.settled(w.terms.now) && !w.pulse.stopped() && w.crew.entries.Load()+int64(n.entries) <= w.terms.bound
	return nil
}

// take picks the directories that are walked, and .dork, out of a buffer of
// struct linux_dirent64: inode, offset, record length, type, name.
func (w *walker) take(n *node, fd int, buf []byte) {
	const header = 19
	for len(buf) >= header {
		length := int(binary.NativeEndian.Uint16(buf[16:]))
		if length < header || length > len(buf) {
			return
		}
		kind, name := buf[18], buf[header:length]
		buf = buf[length:]
		if i := bytes.IndexByte(name, 0); i >= 0 {
			name = name[:i]
		}
		if isDots(name) {
			continue
		}
		n.entries++
		w.sort(n, fd, kind, name)
	}
}

// sort tells what an entry is to the walk.
func (w *walker) sort(n *node, fd int, kind byte, name []byte) {
	switch {
	case string(name) == dorkDir:
		n.dork = otherDork
		if w.isDir(fd, kind, name) {
			n.dork = realDork
		}
	case kind != unix.DT_DIR && kind != unix.DT_UNKNOWN:
	case walked(name) && w.isDir(fd, kind, name):
		w.names = append(w.names, w.intern(name))
	}
}

// isDir asks the file where the file system does not tell its kind in the
// listing.
func (w *walker) isDir(fd int, kind byte, name []byte) bool {
	if kind != unix.DT_UNKNOWN {
		return kind == unix.DT_DIR
	}
	w.stats++
	st, err := lstatAt(fd, string(name))
	return err == nil && kindOf(&st) == unix.S_IFDIR
}

// intern keeps one copy of a name: projects have their subdirectories' names
// in common.
func (w *walker) intern(name []byte) string {
	if s, ok := w.interned[string(name)]; ok {
		return s
	}
	if w.interned == nil {
		w.interned = make(map[string]string)
	}
	s := string(name)
	w.interned[s] = s
	return s
}

func isDots(name []byte) bool {
	return len(name) == 0 || string(name) == "." || string(name) == ".."
}
