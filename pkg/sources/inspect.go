package sources

import (
	"errors"
	"strings"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// inspect looks at the manifest in the directory in hand. It costs one stat
// for one that did not change, and nothing where there is no .dork.
func (w *walker) inspect(n *node, at place) {
	switch {
	case n.dork == noDork:
		w.settle(n, nil)
		return
	case n.dork == otherDork, w.due(n.file):
	case n.file == nil && at.off > len(w.path): // just listed: it is likely there
	default:
		err := w.stat(at, "/"+manifestPath)
		if errors.Is(err, unix.ENOENT) {
			w.settle(n, nil)
			return
		}
		if err == nil && n.file != nil && n.file.settled && stampOf(&w.st) == n.file.stamp {
			w.found++
			return
		}
	}
	w.read(n, at)
}

// due reports whether a manifest is read whatever its stamp says.
func (w *walker) due(f *file) bool {
	return w.terms.reread || f != nil && w.terms.slots > 0 && f.slot == w.terms.slot
}

// read opens the manifest in the directory in hand and notes what it shows.
func (w *walker) read(n *node, at place) {
	dir := at.fd
	if at.off <= len(w.path) {
		fd, err := w.open.beneath(at.fd, w.rel(at), pathFlags|unix.O_NOFOLLOW)
		if err != nil {
			w.note(n, unknown(err))
			return
		}
		defer unix.Close(fd)
		dir = fd
	}
	c := w.reader.read(dir)
	if c.data != nil {
		w.reads++
	}
	if f := n.file; f != nil && c.hash != 0 && f.hash == c.hash && f.sighting.Dir == n.stamp.id() {
		f.stamp, f.settled = c.stamp, c.stamp.settled(w.terms.now)
		w.found++
		return
	}
	w.interpret(&c)
	w.note(n, c)
}

// note makes what a look showed the directory's sighting.
func (w *walker) note(n *node, c content) {
	if c.class == agent.FileMissing {
		w.settle(n, nil)
		return
	}
	f := &file{stamp: c.stamp, hash: c.hash, settled: c.hash != 0 && c.stamp.settled(w.terms.now)}
	f.sighting = agent.Sighting{Class: c.class, Dir: n.stamp.id(), Problem: c.problem, Err: c.err}
	if n.file != nil {
		f.sighting.Path, f.slot = n.file.sighting.Path, n.file.slot
	} else {
		f.sighting.Path = w.fullPath()
		if w.terms.slots > 0 {
			f.slot = uint8(xxhash.Sum64(w.path) % uint64(w.terms.slots))
		}
	}
	if m := c.manifest; m != nil {
		// Cloned, lest a few bytes keep the whole manifest in memory.
		f.sighting.ID = agent.ID(strings.Clone(string(m.ID)))
		f.sighting.Namespace = w.intern([]byte(m.Namespace))
		f.sighting.System = m.IsSystem && w.terms.managed != "" && agent.Within(f.sighting.Path, w.terms.managed)
	}
	w.settle(n, f)
}

// settle replaces the directory's file and notes whether that is a change.
func (w *walker) settle(n *node, f *file) {
	if !sameFile(n.file, f) {
		w.changed = true
	}
	if n.file = f; f != nil {
		w.found++
	}
}

// sameFile reports whether two files would be told apart by nobody.
func sameFile(a, b *file) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.hash == b.hash && sameSighting(&a.sighting, &b.sighting)
}

func sameSighting(a, b *agent.Sighting) bool {
	if (a.Problem == nil) != (b.Problem == nil) || a.Problem != nil && *a.Problem != *b.Problem {
		return false
	}
	x, y := *a, *b
	x.Problem, y.Problem = nil, nil
	return x == y
}
