package sources

import (
	"context"
	"fmt"
	"sync"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Tree is the file system as a source of manifests.
type Tree struct {
	opts    Options
	open    opener
	decode  decoder
	mounts  *mounts
	guard   *guard
	errands sync.Pool     // of probes
	hands   chan struct{} // of walkers that help others
	blocks  func() int64  // blocksRead, or what a test puts in its place
	// look is lookAt, or what a test puts in its place.
	look func(*reader, agent.ProbeRequest) agent.Look

	// mu is held for the whole of a sweep and guards what is below.
	mu     sync.Mutex
	number uint32           // of the sweep
	trees  map[string]*node // by root
	strays strays
	// adopted are the known paths whose strings the nodes have taken over.
	adopted []agent.Known
	listed  bool // a listing was handed out
	last    seen
	// torn: a sweep ended before its listing was made, so that what the nodes
	// remember is ahead of last.
	torn bool
}

// New makes a Tree that has seen nothing. It fails when an option is no good
// or the mount table cannot be read.
func New(opts Options) (*Tree, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	table, err := openMounts()
	if err != nil {
		return nil, err
	}
	t := &Tree{
		opts:   opts,
		open:   newOpener(),
		mounts: table,
		guard:  newGuard(opts.ProbeTimeout),
		hands:  make(chan struct{}, coldHands),
		blocks: blocksRead,
		trees:  make(map[string]*node),
	}
	t.look = t.lookAt
	return t, nil
}

func (t *Tree) newReader() reader { return reader{open: t.open, decode: t.decode} }

// Sweep looks at everything and tells what differs from the sweep before; of the
// first one that is all. What could not be seen is in the listing;
// an error means that ctx ended, and then the next sweep tells what this one
// found out.
//
// The listing is never written to again. While nothing changes one listing's
// sightings are the next one's. Sweeps do not overlap: a second caller waits.
func (t *Tree) Sweep(ctx context.Context, req agent.SweepRequest) (*agent.Listing, agent.Changes, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sweep(ctx, req)
}

// sweepAgain looks everywhere, once something is missing.
func (t *Tree) sweepAgain(ctx context.Context, req agent.SweepRequest, before *total) (*agent.Listing, agent.Changes, error) {
	req.Skim = false
	listing, changes, err := t.sweep(ctx, req)
	if err == nil {
		listing.Stats += before.stats
		listing.Reads += before.reads
	}
	return listing, changes, err
}

func (t *Tree) sweep(ctx context.Context, req agent.SweepRequest) (*agent.Listing, agent.Changes, error) {
	if err := ctx.Err(); err != nil {
		return nil, agent.Changes{}, fmt.Errorf("sweep: %w", err)
	}
	torn := t.torn
	t.torn = true
	t.number++
	t.mounts.forget()
	terms, roots := t.terms(&req), cleanRoots(req.Roots)

	walks := t.walkRoots(ctx, roots, req.Denied, terms)
	listing := &agent.Listing{Began: req.Now, Roots: reportsOf(walks)}
	sum := sumUp(walks)
	if ctx.Err() == nil {
		t.strays.choose(t, &req, roots, listing, &sum)
		t.lookAtStrays(ctx, terms, &sum)
	}
	if err := ctx.Err(); err != nil {
		return nil, agent.Changes{}, fmt.Errorf("sweep: %w", err)
	}

	t.torn = false
	changes := agent.Changes{All: !t.listed}
	if torn || sum.changed || sum.found != len(t.last.Sightings) {
		nodes := t.gather(sum.found)
		now := compose(nodes, &t.last)
		if !sameSlice(t.adopted, req.Known) {
			t.adopted = req.Known
			adopt(nodes, t.adopted)
		}
		if terms.skim && lost(&t.last, &now) {
			t.torn = true // what this one has learnt is to be told by the next
			return t.sweepAgain(ctx, req, &sum)
		}
		if !changes.All {
			changes = compare(&t.last, &now)
		}
		t.last = now
	}
	t.listed = true
	listing.Sightings, listing.ByID = t.last.Sightings, t.last.ByID
	listing.Stats, listing.Reads = sum.stats, sum.reads
	return listing, changes, nil
}

// terms of the sweep that begins.
func (t *Tree) terms(req *agent.SweepRequest) terms {
	s := terms{
		number:  t.number,
		now:     req.Now,
		reread:  req.Full,
		skim:    req.Skim && !req.Full,
		depth:   t.opts.depth(),
		bound:   int64(t.opts.MaxEntries),
		managed: t.opts.ManagedHome,
		edited:  req.Edited,
	}
	if t.opts.ScrubSweeps > 0 {
		s.slots = uint8(t.opts.ScrubSweeps)
		s.slot = uint8(t.number % uint32(s.slots))
	}
	return s
}
