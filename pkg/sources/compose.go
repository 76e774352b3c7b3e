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

// gather collects what this sweep came by, in the order of the paths.
func (t *Tree) gather(found int) []*file {
	files := make([]*file, 0, found)
	for _, tree := range t.trees {
		files = tree.collect(t.number, files)
	}
	for _, n := range t.strays.nodes {
		files = n.collect(t.number, files)
	}
	slices.SortFunc(files, func(a, b *file) int { return strings.Compare(a.seen.Path, b.seen.Path) })
	return files
}

// compose makes a listing of the files, which lie in it from then on. What
// the listing before has in the same way is shared with it.
func compose(files []*file, before *seen) seen {
	s := seen{hashes: make([]uint64, len(files))}
	s.Sightings = make([]agent.Sighting, len(files))
	for i, f := range files {
		s.Sightings[i], s.hashes[i] = *f.seen, f.hash
		f.seen = &s.Sightings[i]
	}
	if s.ByID = before.ByID; s.ByID == nil || !slices.EqualFunc(before.Sightings, s.Sightings, sameID) {
		s.Index()
	}
	return s
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
