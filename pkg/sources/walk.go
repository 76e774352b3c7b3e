package sources

import (
	"fmt"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// walker goes through directories, one at a time. It owns everything that it
// writes to, so that it can be left behind on a mount that hangs.
type walker struct {
	reader
	pulse    *pulse
	guard    *guard
	terms    terms
	special  map[string]specialPlace // below the root
	report   agent.RootReport
	lacking  int  // reasons why the root is incomplete
	full     bool // the bound of entries is reached
	entries  int
	path     []byte // of the directory in hand, "" for "/"
	chain    []agent.FileID
	names    []string
	interned map[string]string
	dents    []byte
	st       unix.Statx_t

	stats, reads int
	found        int  // manifests, readable or not
	changed      bool // a sighting is not what it was
	moved        bool // the set of directories is not what it was
}

// terms of a sweep are the same for everything that it looks at.
type terms struct {
	number  uint32 // of the sweep
	now     time.Time
	reread  bool  // every directory and every manifest
	slot    uint8 // the part that is scrubbed
	slots   uint8 // 0: none is
	depth   int
	bound   int
	managed string
}

// specialPlace is why a directory is not simply walked.
type specialPlace uint8

const (
	deniedPlace specialPlace = iota + 1
	otherRoot                // it is walked as a root of its own
	mountPoint
)

// place addresses the directory in hand: w.path[off:] relative to fd.
type place struct{ fd, off int }

// inside is the place of whatever lies in the directory that fd is open on.
func (w *walker) inside(fd int) place { return place{fd, len(w.path) + 1} }

// visit looks at the directory in hand and everything below it. It costs one
// stat for a directory that did not change.
func (w *walker) visit(n *node, at place, depth int) {
	w.pulse.beat()
	if w.full || w.pulse.stopped() {
		return
	}
	w.report.Directories++
	own := at
	if w.terms.reread || !n.settled || !w.unchanged(n, at) {
		fd, ok := w.renew(n, at, depth)
		if fd >= 0 {
			defer unix.Close(fd)
			own = w.inside(fd)
		}
		if !ok {
			return
		}
	}
	if w.entries += int(n.entries); w.entries > w.terms.bound {
		w.overflow()
		return
	}
	w.came(n)
	w.inspect(n, own)
	if len(n.kids) > 0 && depth < w.terms.depth {
		w.descend(n, own, depth)
	}
}

// came notes that the sweep came by. A manifest that the last sweep did not
// come by (it was denied, or behind a mount that hung) is a change even where
// it is as remembered.
func (w *walker) came(n *node) {
	if n.file != nil && n.sweep+1 != w.terms.number {
		w.changed = true
	}
	n.sweep = w.terms.number
}

// descend visits the directories in n in the order of their names.
func (w *walker) descend(n *node, at place, depth int) {
	if at.off <= len(w.path) && len(n.kids) >= worthOpening {
		if fd, err := w.open.beneath(at.fd, w.rel(at), pathFlags|unix.O_NOFOLLOW); err == nil {
			defer unix.Close(fd)
			at = w.inside(fd)
		}
	}
	w.chain = append(w.chain, n.stamp.id())
	for i := range n.kids {
		k := &n.kids[i]
		mark := len(w.path)
		w.path = append(append(w.path, '/'), k.name...)
		w.approach(k, at, depth+1)
		w.path = w.path[:mark]
	}
	w.chain = w.chain[:len(w.chain)-1]
}

// worthOpening is the number of subdirectories from which a descriptor of the
// directory saves more, by shorter lookups, than it costs to open.
var worthOpening = 16

// approach visits a directory unless it is denied, another root's, or on a
// mount that does not answer.
func (w *walker) approach(n *node, at place, depth int) {
	if len(w.special) == 0 {
		w.visit(n, at, depth)
		return
	}
	switch w.special[string(w.path)] {
	case deniedPlace, otherRoot:
	case mountPoint:
		point := string(w.path)
		if w.guard.hangs(point) {
			w.lack(noAnswer(point).Error())
			return
		}
		outer := w.pulse.enter(point)
		w.visit(n, at, depth)
		w.pulse.enter(outer)
	default:
		w.visit(n, at, depth)
	}
}

// unchanged reports whether the directory in hand is as it was listed. Any
// other answer than the same stamp is left to renew.
func (w *walker) unchanged(n *node, at place) bool {
	return w.stat(at, "", unix.AT_SYMLINK_NOFOLLOW) == nil && stampOf(&w.st) == n.stamp
}

// renew learns the directory in hand anew. It returns a descriptor of it where
// it had to be opened, else -1; ok is false when there is nothing to go on
// with.
func (w *walker) renew(n *node, at place, depth int) (fd int, ok bool) {
	if depth >= w.terms.depth {
		err := w.peek(n, at)
		if err != nil {
			w.lose(n, err)
		}
		return -1, err == nil
	}
	fd, err := w.open.dir(at.fd, w.rel(at))
	if refused(err) {
		return -1, w.peekLocked(n, at, err)
	}
	if err != nil {
		w.lose(n, err)
		return -1, false
	}
	if err := w.list(n, fd); err != nil {
		w.lose(n, err)
		return fd, false
	}
	return fd, !w.cycle(n)
}

// peekLocked is for a directory that may not be listed: a manifest in it may
// be readable all the same.
func (w *walker) peekLocked(n *node, at place, cause error) bool {
	known := n.file
	w.lose(n, cause)
	err := w.peek(n, at)
	n.settled = false // what it holds is still to be learnt
	if err != nil || n.dork == noDork {
		return false
	}
	n.file = known
	return true
}

// peek learns of the directory in hand only what a manifest in it needs.
func (w *walker) peek(n *node, at place) error {
	if err := w.stat(at, "", unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if kindOf(&w.st) != unix.S_IFDIR {
		return unix.ENOTDIR
	}
	s := stampOf(&w.st)
	if len(n.kids) > 0 {
		n.kids, w.moved = nil, true
	}
	n.stamp, n.settled, n.entries = s, s.settled(w.terms.now), 0
	switch err := w.stat(at, "/"+dorkDir, unix.AT_SYMLINK_NOFOLLOW); {
	case absent(err):
		n.dork = noDork
	case err != nil:
		return err
	case kindOf(&w.st) == unix.S_IFDIR:
		n.dork = realDork
	default:
		n.dork = otherDork
	}
	return nil
}

// cycle reports whether the directory in hand is also one of those that lead
// to it, which a bind mount can bring about, and forgets it then.
func (w *walker) cycle(n *node) bool {
	for _, id := range w.chain {
		if id == n.stamp.id() {
			n.forget()
			return true
		}
	}
	return false
}

// lose notes why the directory in hand could not be looked into.
func (w *walker) lose(n *node, err error) {
	n.forget()
	w.moved = true
	switch {
	case absent(err), err == unix.ELOOP: // removed, or replaced by a link, since its parent was listed
	case refused(err):
		w.report.Skipped = append(w.report.Skipped, w.fullPath())
	default:
		w.lack(w.fullPath() + ": " + errnoName(err))
	}
}

// lack makes the root incomplete; the first reason is the one that is told.
func (w *walker) lack(why string) {
	w.moved = true
	if w.lacking++; w.lacking == 1 {
		w.report.Lacks = why
	}
}

func (w *walker) overflow() {
	w.full = true
	w.lack(fmt.Sprintf("more than %d entries (MaxEntries), reached in %s", w.terms.bound, w.fullPath()))
}

// lacks is the reason for people, with how many more there are.
func (w *walker) lacks() string {
	if w.lacking > 1 {
		return w.report.Lacks + " and " + strconv.Itoa(w.lacking-1) + " more"
	}
	return w.report.Lacks
}

// stat looks at the directory in hand or, with a suffix, at something in it.
func (w *walker) stat(at place, suffix string, flags int) error {
	w.stats++
	end := len(w.path)
	if at.off > end && suffix == "" {
		suffix = "/." // the descriptor is the directory's own
	}
	w.path = append(append(w.path, suffix...), 0)
	errno := rawStatx(at.fd, unsafe.SliceData(w.path[at.off:]), flags, &w.st)
	w.path = w.path[:end]
	if errno != 0 {
		return errno
	}
	return nil
}

// rel is the directory in hand relative to at.fd.
func (w *walker) rel(at place) string {
	if at.off > len(w.path) {
		return "."
	}
	return string(w.path[at.off:])
}

func (w *walker) fullPath() string {
	if len(w.path) == 0 {
		return "/"
	}
	return string(w.path)
}
