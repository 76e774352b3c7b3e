package controller

import (
	"context"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// queueAtHome queues the agents that a resync names without a sweep, where one
// would find out no more than the handler does by itself: each is recorded and
// active, no other place was seen to carry its id, the deny list is what it was,
// and a fresh look finds it at home. It returns nil where a sweep is needed: one
// that moved, for instance, has to be looked for.
func (c *Controller) queueAtHome(ctx context.Context, req SyncRequest) *resync {
	s := c.current.Load()
	if s == nil || req.Full || len(req.Targets) == 0 || s.index.Lost || !c.stillHolds(s) {
		return nil
	}
	var ids []agent.ID
	for _, target := range req.Targets {
		found := s.resolve(target)
		if len(found) != 1 || !c.atHome(ctx, s, found[0]) {
			return nil
		}
		ids = append(ids, found[0])
	}
	if !c.sameDenials(ctx, s) {
		return nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	r := c.resyncs.of(c.sequence.Add(1), ids)
	for _, id := range ids {
		c.queue.Add(id)
	}
	return r
}

// queueEdited queues an agent whose manifest a sweep has found edited, before the
// sweep is over, where its handler needs nothing of what the sweep may still find:
// it is recorded and active with nothing else on record, and lay where its row
// says, alone. After the sweep it is looked at once more.
func (c *Controller) queueEdited(r *resync, last *snapshot, index *agent.IndexListing, id agent.ID) {
	if index.Lost || index.Paused || !slices.Equal(index.Denied, last.index.Denied) || !c.stillHolds(last) {
		return
	}
	was, is := last.entry(id), index.Entry(id)
	if was == nil || is == nil || !was.Equal(is) || !last.settledAt(was) || c.ledger.troubled(id) {
		return
	}
	c.ledger.mark([]agent.ID{id}, c.ports.Clock.Now(), sourceFile)
	c.resyncs.early(r, id)
	c.queue.Add(id)
}

// stillHolds reports whether a snapshot is one of the configuration that holds
// now, and nothing is left of a crash.
func (c *Controller) stillHolds(s *snapshot) bool {
	o := c.options.Load()
	return s.roots.Managed == o.ManagedHome && slices.Equal(s.roots.Configured, o.ScanRoots) && !c.ports.Index.Unclean()
}

// settledAt reports whether an agent with this row is active where the row says,
// and nothing else of it is on record.
func (s *snapshot) settledAt(e *agent.Entry) bool {
	seen := s.files.Places(e.ID)
	_, state := s.index.States[e.ID]
	return !state && e.Status == agent.Active && len(seen) == 1 && s.files.Sightings[seen[0]].Path == e.Path
}

// sameDenials reports whether nobody changed the deny list since the sweep.
func (c *Controller) sameDenials(ctx context.Context, s *snapshot) bool {
	list, err := c.ports.Index.Denials(ctx)
	return err == nil && slices.EqualFunc(list, s.index.Denied, func(d agent.Denial, path string) bool { return d.Path == path })
}

// atHome looks whether an agent with a row and nothing else on record is where
// its row says.
func (c *Controller) atHome(ctx context.Context, s *snapshot, id agent.ID) bool {
	e := s.entry(id)
	if e == nil || !s.settledAt(e) {
		return false
	}
	look := c.ports.Sources.Probe(ctx, agent.ProbeRequest{Path: e.Path, Anchor: e.Path})
	if look.Class != agent.Present || look.Manifest.ID != id {
		return false
	}
	if says := agent.Desired(look.Manifest, agent.Place{}); says.Digest() != e.Digest {
		c.ledger.mark([]agent.ID{id}, c.ports.Clock.Now(), sourceFile)
	}
	return true
}
