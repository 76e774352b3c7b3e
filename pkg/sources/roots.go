package sources

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// rootsAtOnce is how many roots are walked beside each other: more would not
// be faster on the few cores of a sidecar, fewer would let a root that hangs
// hold up the next one.
const rootsAtOnce = 4

// walk is one root's part of a sweep.
type walk struct {
	root    string
	special map[string]specialPlace
	tree    *node
	report  agent.RootReport
	walker  *walker // nil: not begun, or left behind
}

// walkRoots walks every root. A walk that is left behind takes its root's
// memory with it: the root is learnt anew once its mount answers.
func (t *Tree) walkRoots(ctx context.Context, roots, denied []string, terms terms) []walk {
	walks := make([]walk, len(roots))
	var group errgroup.Group
	group.SetLimit(rootsAtOnce - 1)
	defer func() { _ = group.Wait() }() // whatever becomes of the last
	for i, root := range roots {
		k := &walks[i]
		k.root, k.tree, k.special = root, t.trees[root], t.specialPlaces(root, roots, denied)
		if k.tree == nil {
			k.tree = &node{}
		}
		if i == len(roots)-1 {
			t.walkRoot(ctx, k, terms) // a goroutine is dear beside a quiet walk
			break
		}
		group.Go(func() error {
			t.walkRoot(ctx, k, terms)
			return nil
		})
	}
	_ = group.Wait()
	clear(t.trees)
	for i := range walks {
		if k := &walks[i]; k.tree != nil {
			t.trees[k.root] = k.tree
		}
	}
	return walks
}

// walkRoot walks one root under guard.
func (t *Tree) walkRoot(ctx context.Context, k *walk, terms terms) {
	k.report = agent.RootReport{Path: k.root, Inner: t.mounts.below(k.root)}
	if k.special[k.root] == deniedPlace {
		k.report.Complete = true
		return
	}
	point := t.mounts.point(k.root)
	if t.guard.hangs(point) {
		k.report.Lacks = noAnswer(point).Error()
		return
	}
	p := newPulse(point)
	w := t.newWalker(p, terms)
	w.special, w.report = k.special, k.report
	tree := k.tree
	if !t.guard.watch(ctx, p, func() { t.walkFrom(w, k.root, tree) }) {
		k.report.Lacks = noAnswer(p.at()).Error()
		k.tree = nil
		return
	}
	slices.Sort(w.report.Skipped)
	w.report.Lacks = w.lacks()
	w.report.Complete = w.lacking == 0
	w.report.Manifests = w.found
	k.report, k.walker = w.report, w
}

// walkFrom opens the root, which may be reached through a link, and walks it.
func (t *Tree) walkFrom(w *walker, root string, n *node) {
	if root != "/" {
		w.path = append(w.path, root...)
	}
	fd, err := openAt(unix.AT_FDCWD, root, pathFlags)
	if err != nil {
		w.lose(n, err)
		if w.report.Gone = absent(err); w.report.Gone {
			t.placeGone(w, root)
		}
		return
	}
	defer unix.Close(fd)
	st, err := statFD(fd)
	if err == nil {
		w.report.Mount, err = t.mounts.of(fd, root, &st)
	}
	if err != nil {
		w.lose(n, err)
		return
	}
	if countsDirectories(w.report.Mount.Type) {
		w.counts = fileID(&st).Dev
	}
	w.visit(n, w.inside(fd), 0)
}

// placeGone tells which mount a root that is gone would lie on; where that
// cannot be told its absence is no answer.
func (t *Tree) placeGone(w *walker, root string) {
	_, mount, err := t.nearest(root)
	if err != nil {
		w.report.Gone = false
		w.lack(err.Error())
	}
	w.report.Mount = mount
}

func (t *Tree) newWalker(p *pulse, terms terms) *walker {
	r := t.newReader()
	r.peeks = true
	return &walker{reader: r, pulse: p, crew: newCrew(t.hands, t.blocks), guard: t.guard, terms: terms}
}

func reportsOf(walks []walk) []agent.RootReport {
	reports := make([]agent.RootReport, len(walks))
	for i := range walks {
		reports[i] = walks[i].report
	}
	return reports
}

// cleanRoots drops what is listed twice.
func cleanRoots(roots []string) []string {
	var out []string
	for _, r := range roots {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}
