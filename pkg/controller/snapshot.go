package controller

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// snapshot is how a sweep ended: immutable. A decision about one id reads its
// slice of it and fresh looks, nothing else.
type snapshot struct {
	files *agent.Listing
	index *agent.IndexListing
	known []agent.Known // recorded paths
	relay *agent.RelayListing
	// relayDown says why the relay could not be listed; relay is then the last
	// listing that was had, or an empty one.
	relayDown string
	// refused are the denied paths at which a manifest lies.
	refused []string
	// anew: no sweep has opened everybody since the sources remember anything.
	anew bool
	// recovers: whatever is observed on it is cleared of what a crash left.
	recovers bool
	// whole: every id that was due was queued on it.
	whole bool
	// aside: the files were not listed, so the copies on record are all that is
	// known of other places.
	aside bool
	// began by the clock of the machine's waking hours, to be compared with the
	// settle window.
	began time.Duration

	derived
}

// sameSightings reports whether a listing shows the same manifests.
func (s *snapshot) sameSightings(l *agent.Listing) bool {
	a, b := s.files.Sightings, l.Sightings
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// relayTrouble says why the relay could not be listed or its rules not be read;
// "" when both could.
func (s *snapshot) relayTrouble() string { return cmp.Or(s.relayDown, s.relay.Degraded) }

// entry is the row of an id in short, nil for none.
func (s *snapshot) entry(id agent.ID) *agent.Entry { return s.index.Entry(id) }

// standing is the id whose row names a path.
func (s *snapshot) standing(path string) (agent.ID, bool) {
	i, ok := slices.BinarySearchFunc(s.known, path, func(k agent.Known, p string) int { return strings.Compare(k.Path, p) })
	if !ok {
		return "", false
	}
	id := s.known[i].ID
	e := s.entry(id)
	return id, e != nil && e.Path == path
}

// claims are the places where the id was seen, but for one.
func (s *snapshot) claims(id agent.ID, but string) []string {
	var paths []string
	for _, i := range s.files.Places(id) {
		if p := s.files.Sightings[i].Path; p != but {
			paths = append(paths, p)
		}
	}
	return paths
}

// copies are the places, but for one, that are on record as copies of the id.
func (s *snapshot) copies(id agent.ID, but string) []string {
	var paths []string
	for i := range s.index.Problems {
		if p := &s.index.Problems[i]; p.ID == id && p.Reason == agent.DuplicateID && p.Path != but {
			paths = append(paths, p.Path)
		}
	}
	return paths
}

// shared reports whether anybody but id lives in the namespace.
func (s *snapshot) shared(ns string, id agent.ID) bool {
	n := s.population[ns]
	row := s.entry(id)
	if row != nil && row.Namespace == ns || slices.Contains(foreignNamespaces(row, s.relay.Endpoints.Of(id)), ns) {
		n--
	}
	return n > 0
}

// ids lists every id that anybody knows.
func (s *snapshot) ids() []agent.ID {
	all := make([]agent.ID, 0, len(s.index.Entries))
	for i := range s.index.Entries {
		all = append(all, s.index.Entries[i].ID)
	}
	// Most of the others have a row as well.
	add := func(id agent.ID) {
		if s.entry(id) == nil {
			all = append(all, id)
		}
	}
	for _, i := range s.files.ByID {
		add(s.files.Sightings[i].ID)
	}
	for id := range s.relay.Endpoints.ByID() {
		add(id)
	}
	for id := range s.index.States {
		add(id)
	}
	for id := range s.index.Displaced {
		add(id)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// idsBelow lists the ids that are recorded or seen at a path or below it.
func (s *snapshot) idsBelow(path string) []agent.ID {
	set := map[agent.ID]struct{}{}
	for i := range s.index.Entries {
		if e := &s.index.Entries[i]; agent.Within(e.Path, path) {
			set[e.ID] = struct{}{}
		}
	}
	for i := range s.files.Sightings {
		if f := &s.files.Sightings[i]; f.ID != "" && agent.Within(f.Path, path) {
			set[f.ID] = struct{}{}
		}
	}
	return sortedIDs(set)
}

func sortedIDs[V any](m map[agent.ID]V) []agent.ID {
	ids := make([]agent.ID, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
