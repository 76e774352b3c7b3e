package controller

import (
	"cmp"
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// snapshot is how a sweep ended: immutable. A decision about one id reads its
// slice of it and fresh looks, nothing else.
type snapshot struct {
	files *agent.Listing
	index *agent.IndexListing
	relay *agent.RelayListing
	// relayDown says why the relay could not be listed; relay is then the last
	// listing that was had, or an empty one.
	relayDown string
	// refused are the denied paths at which a manifest lies.
	refused []string
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

// derived follows from the listings alone and is kept while they stay.
type derived struct {
	known      []string            // recorded paths, sorted
	rows       map[agent.ID]int    // position among index.Entries
	byPath     map[string]agent.ID // whose row names a path
	population map[string]int      // ids per namespace: rows, and endpoints without
	perRoot    map[string]int      // rows per recorded scan root
	twins      map[agent.ID]agent.ID
	reserved   map[string]bool // namespaces of system agents
	roots      plan.Roots
	rootMounts map[string]agent.Mount
	released   map[string]time.Time
}

// newSnapshot derives what the listings imply. Where neither listing is new,
// what was derived before still holds.
func newSnapshot(s snapshot, last *snapshot, roots plan.Roots) *snapshot {
	if last != nil && last.index == s.index && last.relay == s.relay && last.sameSightings(s.files) &&
		slices.Equal(last.roots.Configured, roots.Configured) {
		s.derived = last.derived
		return &s
	}
	s.known = knownPaths(s.index, last)
	s.roots = roots
	s.roots.Recorded = recordedRoots(s.index)
	s.countRows()
	s.findReserved()
	s.findTwins()
	return &s
}

// sameSightings reports whether a listing shows the same manifests.
func (s *snapshot) sameSightings(l *agent.Listing) bool {
	a, b := s.files.Sightings, l.Sightings
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// relayTrouble says why the relay could not be listed or its rules not be read;
// "" when both could.
func (s *snapshot) relayTrouble() string { return cmp.Or(s.relayDown, s.relay.Degraded) }

func (s *snapshot) countRows() {
	n := len(s.index.Entries)
	s.rows = make(map[agent.ID]int, n)
	s.byPath = make(map[string]agent.ID, n)
	s.population = map[string]int{}
	s.perRoot = map[string]int{}
	for i := range s.index.Entries {
		e := &s.index.Entries[i]
		s.rows[e.ID] = i
		s.byPath[e.Path] = e.ID
		s.population[e.Namespace]++
		s.perRoot[e.ScanRoot]++
	}
	for id, endpoints := range s.relay.Endpoints {
		for _, ns := range foreignNamespaces(s.entry(id), endpoints) {
			s.population[ns]++
		}
	}
	s.rootMounts = map[string]agent.Mount{}
	s.released = map[string]time.Time{}
	for _, r := range s.index.Roots {
		s.rootMounts[r.Path] = r.Mount
		s.released[r.Path] = r.ReleasedAt
	}
}

// foreignNamespaces are those of an id's endpoints in which it has no row.
func foreignNamespaces(row *agent.Entry, endpoints []agent.Endpoint) []string {
	var list []string
	for _, e := range endpoints {
		ns, _, _ := agent.ParseSubject(string(e.Subject))
		if (row == nil || row.Namespace != ns) && !slices.Contains(list, ns) {
			list = append(list, ns)
		}
	}
	return list
}

// findReserved collects the namespaces of system agents in the managed home.
func (s *snapshot) findReserved() {
	s.reserved = map[string]bool{}
	for i := range s.files.Sightings {
		f := &s.files.Sightings[i]
		if !f.System {
			continue
		}
		m := agent.Manifest{Namespace: f.Namespace}
		if p := plan.Locate(&m, f.Path, s.roots, nil); p.Problem == nil && p.Managed {
			s.reserved[p.Namespace] = true
		}
	}
	for i := range s.index.Entries {
		e := &s.index.Entries[i]
		if e.System && s.roots.Managed != "" && agent.Within(e.Path, s.roots.Managed) {
			s.reserved[e.Namespace] = true
		}
	}
}

// findTwins pairs ids that differ only in letter case with the one that keeps
// it: whoever has a row, else an endpoint, else the first in byte order.
func (s *snapshot) findTwins() {
	s.twins = map[agent.ID]agent.ID{}
	first := make(map[string]agent.ID, len(s.files.ByID))
	add := func(id agent.ID) {
		fold := id.Fold()
		keeper, ok := first[fold]
		switch {
		case !ok:
			first[fold] = id
		case keeper == id:
		case s.precedes(id, keeper):
			first[fold] = id
			s.twins[keeper] = id
			delete(s.twins, id)
		default:
			s.twins[id] = keeper
		}
	}
	for i := range s.index.Entries {
		add(s.index.Entries[i].ID)
	}
	for _, id := range s.rowless() {
		add(id) // its address is in the way until its grace is over
	}
	for _, id := range sortedIDs(s.files.ByID) {
		add(id)
	}
}

// rowless are the ids that have an address and no row, sorted.
func (s *snapshot) rowless() []agent.ID {
	var ids []agent.ID
	for id := range s.relay.Endpoints {
		if s.entry(id) == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (s *snapshot) precedes(a, b agent.ID) bool {
	_, rowA := s.rows[a]
	_, rowB := s.rows[b]
	if rowA != rowB {
		return rowA
	}
	endA, endB := len(s.relay.Endpoints[a]) > 0, len(s.relay.Endpoints[b]) > 0
	if endA != endB {
		return endA
	}
	return a < b
}

// entry is the row of an id in short, nil for none.
func (s *snapshot) entry(id agent.ID) *agent.Entry {
	i, ok := s.rows[id]
	if !ok {
		return nil
	}
	return &s.index.Entries[i]
}

// claims are the places where the id was seen, but for one.
func (s *snapshot) claims(id agent.ID, but string) []string {
	var paths []string
	for _, i := range s.files.ByID[id] {
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
	if row != nil && row.Namespace == ns || slices.Contains(foreignNamespaces(row, s.relay.Endpoints[id]), ns) {
		n--
	}
	return n > 0
}

// ids lists every id that anybody knows.
func (s *snapshot) ids() []agent.ID {
	all := make(map[agent.ID]struct{}, len(s.rows))
	for id := range s.rows {
		all[id] = struct{}{}
	}
	for id := range s.files.ByID {
		all[id] = struct{}{}
	}
	for id := range s.relay.Endpoints {
		all[id] = struct{}{}
	}
	for id := range s.index.States {
		all[id] = struct{}{}
	}
	for id := range s.index.Displaced {
		all[id] = struct{}{}
	}
	return sortedIDs(all)
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

// recordedRoots are the scan roots that rows name.
func recordedRoots(l *agent.IndexListing) []string {
	seen := map[string]struct{}{}
	for i := range l.Entries {
		if r := l.Entries[i].ScanRoot; r != "" {
			seen[r] = struct{}{}
		}
	}
	roots := make([]string, 0, len(seen))
	for r := range seen {
		roots = append(roots, r)
	}
	slices.Sort(roots)
	return roots
}
