package sources

import (
	"context"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// strays are the paths that no walk comes by and that are looked at all the
// same: known ones outside every root, too deep or below an excluded name,
// and those that were seen before where a walk could not go this time.
type strays struct {
	nodes []*node // name is the whole path, in order
	// What the list was made from. While none of it moves the list holds.
	known         []agent.Known
	denied, roots []string
	incomplete    bool
}

// choose makes the list anew unless it still holds.
func (s *strays) choose(t *Tree, req *agent.SweepRequest, roots []string, listing *agent.Listing, sum *total) {
	if !sum.moved && !sum.incomplete && !s.incomplete && sameSlice(s.known, req.Known) &&
		slices.Equal(s.denied, req.Denied) && slices.Equal(s.roots, roots) {
		return
	}
	old := s.nodes
	s.known, s.denied, s.roots, s.incomplete = req.Known, slices.Clone(req.Denied), roots, sum.incomplete
	s.nodes = nil
	for _, path := range t.unvisited(req, roots, listing, sum.incomplete || sum.skipped) {
		i, ok := slices.BinarySearchFunc(old, path, func(n *node, p string) int { return strings.Compare(n.name, p) })
		if ok {
			s.nodes = append(s.nodes, old[i])
		} else {
			s.nodes = append(s.nodes, &node{name: path})
		}
	}
}

// unvisited lists the known paths, and those seen before that the listing
// cannot speak about, which the walks of this sweep did not come by.
func (t *Tree) unvisited(req *agent.SweepRequest, roots []string, listing *agent.Listing, partial bool) []string {
	var paths []string
	for i := range req.Known {
		if p := req.Known[i].Path; !t.visited(p, roots) {
			paths = append(paths, p)
		}
	}
	if partial {
		for i := range t.last.Sightings {
			p := t.last.Sightings[i].Path
			if !listing.CompleteFor(p) && !t.visited(p, roots) {
				paths = append(paths, p)
			}
		}
		slices.Sort(paths)
		paths = slices.Compact(paths)
	}
	return slices.DeleteFunc(paths, func(p string) bool {
		return slices.ContainsFunc(req.Denied, func(d string) bool { return agent.Within(p, d) })
	})
}

// visited reports whether a walk of this sweep came by the directory.
func (t *Tree) visited(path string, roots []string) bool {
	root := ""
	for _, r := range roots {
		if len(r) > len(root) && agent.Within(path, r) {
			root = r
		}
	}
	tree := t.trees[root]
	if tree == nil {
		return false
	}
	n := tree.find(strings.TrimPrefix(strings.TrimPrefix(path, root), "/"))
	return n != nil && n.sweep == t.number
}

// lookAtStrays looks at each, mount by mount under guard, and adds to the sum.
func (t *Tree) lookAtStrays(ctx context.Context, terms terms, sum *total) {
	nodes := t.strays.nodes
	for len(nodes) > 0 {
		point := t.mounts.point(nodes[0].name)
		size := 1
		for size < len(nodes) && t.mounts.point(nodes[size].name) == point {
			size++
		}
		t.lookAtGroup(ctx, point, nodes[:size], terms, sum)
		nodes = nodes[size:]
	}
}

func (t *Tree) lookAtGroup(ctx context.Context, point string, group []*node, terms terms, sum *total) {
	// Copies: a walker that is left behind keeps what it has in hand.
	work := make([]*node, len(group))
	for i, n := range group {
		c := *n
		work[i] = &c
	}
	w := t.newWalker(newPulse(point), terms)
	if !t.guard.hangs(point) && t.guard.watch(ctx, w.pulse, func() { w.lookAtEach(work) }) {
		copy(group, work)
		sum.add(&w.tally)
		return
	}
	w = t.newWalker(newPulse(point), terms)
	for _, n := range group {
		w.path = append(w.path[:0], n.name...)
		w.came(n)
		w.note(n, unknown(noAnswer(point)))
	}
	sum.add(&w.tally)
}

func (w *walker) lookAtEach(nodes []*node) {
	for _, n := range nodes {
		w.pulse.beat()
		if w.pulse.stopped() {
			return
		}
		w.lookAtStray(n)
	}
}

// lookAtStray looks at one project directory, which may be reached through a
// link.
func (w *walker) lookAtStray(n *node) {
	w.path = append(w.path[:0], n.name...)
	w.came(n)
	fd, err := openAt(unix.AT_FDCWD, n.name, pathFlags)
	if err == nil {
		defer unix.Close(fd)
		at := w.inside(fd)
		if !w.terms.reread && n.settled && w.unchanged(n, at) {
			w.inspect(n, at, false)
			return
		}
		if err = w.statDir(at); err == nil {
			if err = w.peek(n, at, false); err == nil {
				w.inspect(n, at, true)
				return
			}
		}
	}
	if absent(err) {
		w.note(n, missing(err))
		return
	}
	w.note(n, unknown(err))
}

// sameSlice reports whether both are one slice, not merely equal.
func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}
