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
	if s == nil || req.Full || len(req.Targets) == 0 || s.index.Lost || s.recovers {
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
	r := c.resyncs.begin(c.sequence.Add(1), ids)
	for _, id := range ids {
		c.queue.Add(id)
	}
	return r
}

// sameDenials reports whether nobody changed the deny list since the sweep.
func (c *Controller) sameDenials(ctx context.Context, s *snapshot) bool {
	list, err := c.ports.Index.Denials(ctx)
	return err == nil && slices.EqualFunc(list, s.index.Denied, func(d agent.Denial, path string) bool { return d.Path == path })
}

// atHome looks whether an agent with a row and nothing else on record is where
// its row says.
func (c *Controller) atHome(ctx context.Context, s *snapshot, id agent.ID) bool {
	e, seen := s.entry(id), s.files.Places(id)
	if _, state := s.index.States[id]; e == nil || state || e.Status != agent.Active || len(seen) != 1 || s.files.Sightings[seen[0]].Path != e.Path {
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
