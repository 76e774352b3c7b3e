package sources

import (
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// seen is the last listing with the hash of every sighting's bytes, by which
// an edit is told that the sighting itself does not show.
type seen struct {
	agent.Listing
	hashes []uint64
}

// gather collects the directories with a manifest that this sweep came by, in
// the order of the paths.
func (t *Tree) gather(found int) []*node {
	nodes := make([]*node, 0, found)
	for _, tree := range t.trees {
		nodes = tree.collect(t.number, nodes)
	}
	for _, n := range t.strays.nodes {
		nodes = n.collect(t.number, nodes)
	}
	slices.SortFunc(nodes, func(a, b *node) int { return strings.Compare(a.file.seen.Path, b.file.seen.Path) })
	return nodes
}

// compose makes a listing of the manifests, which lie in it from then on. What
// the listing before has in the same way is shared with it.
func compose(nodes []*node, before *seen) seen {
	s := seen{hashes: make([]uint64, len(nodes))}
	s.Sightings = make([]agent.Sighting, len(nodes))
	for i, n := range nodes {
		s.Sightings[i], s.hashes[i] = *n.file.seen, n.file.hash
		n.file.seen = &s.Sightings[i]
	}
	if s.ByID = before.ByID; s.ByID == nil || !slices.EqualFunc(before.Sightings, s.Sightings, sameID) {
		s.Index()
	}
	return s
}

// adopt takes the strings of what is on record where they say the same: a path
// is the most that is kept of an agent, and whoever asks has it too. The
// sightings are those of a listing that nobody has yet.
func adopt(nodes []*node, known []agent.Known) {
	for _, n := range nodes {
		seen := n.file.seen
		for len(known) > 0 && known[0].Path < seen.Path {
			known = known[1:]
		}
		if len(known) > 0 && known[0].Path == seen.Path && known[0].ID == seen.ID {
			seen.Path, seen.ID = known[0].Path, known[0].ID
			n.name = seen.Path[len(seen.Path)-len(n.name):]
		}
	}
}

func sameID(a, b agent.Sighting) bool { return a.ID == b.ID }

// compare lists what differs between two listings.
func compare(old, now *seen) agent.Changes {
	var c agent.Changes
	ids := make(map[agent.ID]struct{})
	differ := func(path string, sightings ...*agent.Sighting) {
		c.Paths = append(c.Paths, path)
		for _, s := range sightings {
			if s.ID != "" {
				ids[s.ID] = struct{}{}
			}
		}
	}
	a, b := old.Sightings, now.Sightings
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case j == len(b) || i < len(a) && a[i].Path < b[j].Path:
			differ(a[i].Path, &a[i])
			i++
		case i == len(a) || b[j].Path < a[i].Path:
			differ(b[j].Path, &b[j])
			j++
		default:
			if old.hashes[i] != now.hashes[j] || !sameSighting(&a[i], &b[j]) {
				differ(a[i].Path, &a[i], &b[j])
			}
			i++
			j++
		}
	}
	for id := range ids {
		c.IDs = append(c.IDs, id)
	}
	slices.Sort(c.IDs)
	return c
}
