package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// selected says which ids to queue, in which order.
func (c *Controller) selected(ctx context.Context, s, last *snapshot, req SyncRequest) ([]agent.ID, error) {
	c.ledger.load(s)
	for _, root := range c.ledger.orphanedRoots() {
		c.watchMass(s, root, c.ports.Clock.Now())
	}
	if len(req.Targets) > 0 {
		return c.targets(ctx, s, req.Targets)
	}
	if req.below != "" {
		return s.idsBelow(req.below), nil
	}
	due := c.ledger.due(req.Trigger == "signal" || req.Trigger == "api")
	if req.Full || last == nil || s.anew || !s.sameGround(last) {
		// What differs goes first: somebody may wait for it. Some of it is known to
		// nobody any more.
		rest := slices.DeleteFunc(s.ids(), func(id agent.ID) bool {
			_, found := slices.BinarySearch(due, id)
			return found
		})
		return append(due, rest...), nil
	}
	return due, nil
}

// sameGround reports whether what every decision rests on is unchanged: deny
// list, roots, reserved namespaces, twins.
func (s *snapshot) sameGround(last *snapshot) bool {
	return slices.Equal(s.index.Denied, last.index.Denied) &&
		slices.Equal(s.roots.Configured, last.roots.Configured) &&
		slices.Equal(s.roots.Recorded, last.roots.Recorded) &&
		len(s.reserved) == len(last.reserved) && len(s.twins) == len(last.twins) &&
		s.relay.Degraded == last.relay.Degraded && s.relayDown == last.relayDown &&
		s.index.Lost == last.index.Lost
}

// targets resolves ids, paths, and names that only one agent has.
func (c *Controller) targets(ctx context.Context, s *snapshot, wanted []string) ([]agent.ID, error) {
	var ids []agent.ID
	for _, t := range wanted {
		found := s.resolve(t)
		if len(found) == 0 {
			id, err := c.named(ctx, t)
			if err != nil {
				return nil, err
			}
			if s.knows(id) {
				found = append(found, id)
			}
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: %w: neither the id nor the path of an agent", t, ErrNotFound)
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// named is the one agent of this name, "" for none.
func (c *Controller) named(ctx context.Context, name string) (agent.ID, error) {
	ids, err := c.ports.Index.Named(ctx, name)
	switch {
	case err != nil || len(ids) == 0:
		return "", err
	case len(ids) > 1:
		return "", misuse(fmt.Sprintf("name one by its id: %s, %s", ids[0], ids[1]), "%d agents are called %s", len(ids), name)
	}
	return ids[0], nil
}

// resolve finds the ids that a word means: an id, a recorded path, or a path
// that carries a manifest.
func (s *snapshot) resolve(word string) []agent.ID {
	if id := agent.ID(word); s.knows(id) {
		return []agent.ID{id}
	}
	var ids []agent.ID
	if id, ok := s.standing(word); ok {
		ids = append(ids, id)
	}
	i, ok := slices.BinarySearchFunc(s.files.Sightings, word, func(f agent.Sighting, p string) int { return strings.Compare(f.Path, p) })
	if ok && s.files.Sightings[i].ID != "" {
		ids = append(ids, s.files.Sightings[i].ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
