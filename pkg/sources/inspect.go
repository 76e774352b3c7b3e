package sources

import (
	"errors"
	"strings"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// inspect looks at the manifest in the directory in hand. It costs one stat
// for one that did not change, and nothing where there is no .dork. fresh says
// that the directory was learnt just now: what is new in it is read at once.
func (w *walker) inspect(n *node, at place, fresh bool) {
	switch {
	case n.dork == noDork:
		w.settle(n, nil)
		return
	case n.dork > realDork, w.due(n), fresh && n.file == nil:
	default:
		err := w.stat(at, "/"+manifestPath)
		if errors.Is(err, unix.ENOENT) {
			w.settle(n, nil)
			return
		}
		if err == nil && n.file != nil && n.file.holds(&w.st) {
			w.found++
			return
		}
	}
	w.read(n, at)
}

// due reports whether a manifest is read whatever its stamp says.
func (w *walker) due(n *node) bool {
	return w.terms.reread || n.file != nil && w.terms.slots > 0 && n.slot == w.terms.slot
}

// read opens the manifest in the directory in hand and notes what it shows.
func (w *walker) read(n *node, at place) {
	c, err := w.reader.read(at.fd, w.name(at, "/"+manifestPath))
	if w.likely = err == nil; n.dork == guessedDork && !w.checkGuess(n, at) {
		return
	}
	if err != nil {
		c = w.explain(at, err)
	}
	if c.data != nil {
		w.reads++
	}
	if f := n.file; f != nil && c.hash != 0 && f.hash == c.hash && f.seen.Dir == n.stamp.id() {
		f.sum = w.proof(&c)
		w.found++
		return
	}
	w.interpret(&c)
	w.note(n, c)
}

// checkGuess learns what stands at .dork if the last try does not prove it. It
// returns false, the directory lost, where that cannot be told.
func (w *walker) checkGuess(n *node, at place) bool {
	n.dork = realDork
	if w.likely {
		return true
	}
	err := w.lookForDork(n, at)
	if err != nil {
		w.lose(n, err)
	}
	return err == nil
}

// explain tells why the manifest in the directory in hand could not be opened.
// The directory itself may have been replaced since it was looked at.
func (w *walker) explain(at place, err error) content {
	if errors.Is(err, unix.ENOENT) {
		return missing(err)
	}
	dir, lost := w.open.beneath(at.fd, w.name(at, ""), pathFlags|unix.O_NOFOLLOW)
	if lost != nil {
		return unknown(lost)
	}
	defer unix.Close(dir)
	return explain(dir, err)
}

// note makes what a look showed the directory's sighting.
func (w *walker) note(n *node, c content) {
	if c.class == agent.FileMissing {
		w.settle(n, nil)
		return
	}
	seen := &agent.Sighting{Class: c.class, Dir: n.stamp.id(), Problem: c.problem, Err: c.err}
	if m := c.manifest; m != nil {
		seen.ID, seen.Namespace = m.ID, w.intern([]byte(m.Namespace))
	}
	w.label(n, seen)
	if m := c.manifest; m != nil {
		seen.System = m.IsSystem && w.terms.managed != "" && agent.Within(seen.Path, w.terms.managed)
		fields := agent.Desired(m, agent.Place{})
		seen.Digest = fields.Digest()
	}
	if w.terms.edited != nil && n.file != nil && editedInPlace(n.file.seen, seen) {
		w.terms.edited(seen.ID)
	}
	w.settle(n, &file{sum: w.proof(&c), hash: c.hash, seen: seen})
}

// editedInPlace reports whether one manifest of one agent was seen twice.
func editedInPlace(was, is *agent.Sighting) bool {
	return was.Class == agent.Present && is.Class == agent.Present && was.ID == is.ID
}

// label gives a sighting its path, and both strings of it memory of their own,
// which is one piece where both are new: otherwise a few bytes would keep the
// whole manifest in memory. The directory's name is the end of the path.
func (w *walker) label(n *node, seen *agent.Sighting) {
	if n.file != nil {
		seen.Path = n.file.seen.Path
		if seen.ID == n.file.seen.ID {
			seen.ID = n.file.seen.ID
		} else {
			seen.ID = agent.ID(strings.Clone(string(seen.ID)))
		}
		return
	}
	path := w.fullPath()
	both := path + string(seen.ID)
	seen.Path, seen.ID = both[:len(path)], agent.ID(both[len(path):])
	n.name = seen.Path[len(path)-len(n.name):]
	if w.terms.slots > 0 {
		n.slot = uint8(xxhash.Sum64(w.path) % uint64(w.terms.slots))
	}
}

// proof is the hash of the stamp of what was read if an equal one proves equal
// content, else 0.
func (w *walker) proof(c *content) uint64 {
	if c.hash == 0 || !c.stamp.settled(w.terms.now) {
		return 0
	}
	return c.stamp.sum()
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
	return a.hash == b.hash && sameSighting(a.seen, b.seen)
}

func sameSighting(a, b *agent.Sighting) bool {
	if (a.Problem == nil) != (b.Problem == nil) || a.Problem != nil && *a.Problem != *b.Problem {
		return false
	}
	x, y := *a, *b
	x.Problem, y.Problem = nil, nil
	return x == y
}
