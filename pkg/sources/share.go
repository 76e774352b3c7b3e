package sources

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"
)

// share is the directories in one that several walkers visit. Each takes the
// next one when it is done, so the order in which they are visited is nobody's.
type share struct {
	kids  []node
	at    place
	depth int // of the kids
	next  atomic.Int64

	running sync.WaitGroup
	helpers []*helper
}

type helper struct {
	*walker
	caught any
}

// take is the position of the next directory.
func (s *share) take() int { return int(s.next.Add(1) - 1) }

// shareOut visits directories in the one in hand beside other walkers.
func (w *walker) shareOut(kids []node, at place, depth int) {
	s := &share{kids: kids, at: at, depth: depth + 1}
	defer s.running.Wait() // whatever becomes of w
	s.hire(w)
	for i := s.take(); i < len(kids); i = s.take() {
		for rest := kids[i:]; w.wantsHelp(rest, depth); rest = rest[1:] {
			s.hire(w)
		}
		w.step(&kids[i], at, s.depth)
	}
	s.end(w)
}

// hire starts a walker that stands where w stands.
func (s *share) hire(w *walker) {
	h := &helper{walker: w.child()}
	s.helpers = append(s.helpers, h)
	s.running.Go(func() {
		defer h.crew.dismiss()
		defer func() { h.caught = recover() }()
		for i := s.take(); i < len(s.kids); i = s.take() {
			h.step(&s.kids[i], s.at, s.depth)
		}
	})
}

// end waits for the helpers and adds up what they found.
func (s *share) end(w *walker) {
	s.running.Wait()
	for _, h := range s.helpers {
		if h.caught != nil {
			panic(h.caught) // it goes on in whoever watches
		}
		w.join(h.walker)
	}
}

// child is a walker that stands where w stands and has found nothing yet.
func (w *walker) child() *walker {
	return &walker{
		reader: reader{open: w.open, decode: w.decode, peeks: true}, pulse: w.pulse, guard: w.guard, terms: w.terms, crew: w.crew,
		special: w.special, path: bytes.Clone(w.path), chain: slices.Clone(w.chain), counts: w.counts, likely: w.likely,
	}
}

// join takes over what a child found.
func (w *walker) join(c *walker) {
	w.add(&c.tally)
	w.report.Directories += c.report.Directories
	w.report.Skipped = append(w.report.Skipped, c.report.Skipped...)
	if w.lacking == 0 {
		w.report.Lacks = c.report.Lacks
	}
	w.lacking += c.lacking
}
