package sources

import (
	"bytes"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// forkFrom directories at the top of a root are walked side by side while
	// they are learnt. Below that starting goroutines is not worth it.
	forkFrom = 8
	// forkInto walkers at most: learning is half kernel, half us, and a sidecar
	// is not to take a whole machine. One for each of the few cores is as fast.
	forkInto = 2
)

// forks reports whether what lies in n is to be walked side by side: when it is
// looked at for the first time, or read as a whole. A quiet sweep stays on one
// core. Mounts below the root are entered one at a time (see pulse.enter).
func (w *walker) forks(n *node, depth int) bool {
	kids := n.kids()
	return depth == 0 && len(kids) >= forkFrom && len(w.special) == 0 && runtime.GOMAXPROCS(0) > 1 &&
		(w.terms.reread || kids[0].sweep == 0)
}

// fork visits the directories in n by walkers of their own and adds up what they
// found. Each takes the next one when it is done, so the order in which they
// are visited is nobody's; what is reported is in order.
func (w *walker) fork(n *node, at place) {
	kids := n.kids()
	var next atomic.Int64
	var running sync.WaitGroup
	walkers := make([]*walker, forkInto)
	caught := make([]any, forkInto)
	for i := range walkers {
		c := w.child()
		walkers[i] = c
		running.Go(func() {
			defer func() { caught[i] = recover() }()
			for k := next.Add(1) - 1; int(k) < len(kids); k = next.Add(1) - 1 {
				c.step(&kids[k], at, 1)
			}
		})
	}
	running.Wait()
	for i, c := range walkers {
		if caught[i] != nil {
			panic(caught[i]) // it goes on in whoever watches
		}
		w.join(c)
	}
	slices.Sort(w.report.Skipped)
	if w.entries > w.terms.bound && !w.full {
		w.overflow()
	}
}

// child is a walker that stands where w stands and has found nothing yet.
func (w *walker) child() *walker {
	return &walker{
		reader: reader{open: w.open, decode: w.decode}, pulse: w.pulse, guard: w.guard, terms: w.terms, special: w.special,
		path: bytes.Clone(w.path), chain: slices.Clone(w.chain), counts: w.counts,
	}
}

// join takes over what a child found.
func (w *walker) join(c *walker) {
	w.entries += c.entries
	w.stats += c.stats
	w.reads += c.reads
	w.found += c.found
	w.changed = w.changed || c.changed
	w.moved = w.moved || c.moved
	w.full = w.full || c.full
	w.digests = w.digests.with(c.digests)
	w.report.Directories += c.report.Directories
	w.report.Skipped = append(w.report.Skipped, c.report.Skipped...)
	if w.lacking == 0 {
		w.report.Lacks = c.report.Lacks
	}
	w.lacking += c.lacking
}
