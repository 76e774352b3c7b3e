package controller

import (
	"slices"
	"strings"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// derived follows from the listings alone and is kept while they stay.
type derived struct {
	known      []string       // recorded paths, sorted
	byPath     []int32        // positions among index.Entries, in the order of their paths
	population map[string]int // ids per namespace: rows, and endpoints without
	perRoot    map[string]int // rows per recorded scan root
	rowless    []agent.ID     // ids that have an address and no row, sorted
	twins      map[agent.ID]agent.ID
	reserved   map[string]bool // namespaces of system agents
	roots      plan.Roots
	rootMounts map[string]agent.Mount
	released   map[string]time.Time
}

// newSnapshot derives what the listings imply. What follows from listings that
// are not new still holds.
func newSnapshot(s snapshot, last *snapshot, roots plan.Roots) *snapshot {
	sameRecords := last != nil && last.index == s.index && last.relay == s.relay
	if last != nil {
		s.derived = last.derived
	}
	if sameRecords && last.sameSightings(s.files) && slices.Equal(last.roots.Configured, roots.Configured) {
		return &s
	}
	s.roots = roots
	if sameRecords {
		s.roots.Recorded = last.roots.Recorded
	} else {
		s.derivePlaces(last)
		s.countAddresses()
	}
	s.findReserved()
	s.findTwins()
	return &s
}

// derivePlaces derives what the rows alone imply. An edit changes no place, and
// to sort a hundred thousand of them takes longer than to sweep them.
func (s *snapshot) derivePlaces(last *snapshot) {
	s.roots.Recorded = recordedRoots(s.index)
	if last == nil || !samePlaces(last.index, s.index) {
		s.known = knownPaths(s.index, nil)
		s.byPath = make([]int32, len(s.index.Entries))
		for i := range s.byPath {
			s.byPath[i] = int32(i)
		}
		slices.SortFunc(s.byPath, func(a, b int32) int { return strings.Compare(s.index.Entries[a].Path, s.index.Entries[b].Path) })
	}
	s.rootMounts = map[string]agent.Mount{}
	s.released = map[string]time.Time{}
	for _, r := range s.index.Roots {
		s.rootMounts[r.Path] = r.Mount
		s.released[r.Path] = r.ReleasedAt
	}
}

// samePlaces reports whether two listings record the same ids at the same
// places.
func samePlaces(a, b *agent.IndexListing) bool {
	return len(a.Displaced) == 0 && len(b.Displaced) == 0 &&
		slices.EqualFunc(a.Entries, b.Entries, func(x, y agent.Entry) bool { return x.ID == y.ID && x.Path == y.Path })
}

// countAddresses counts who lives where: by row, and by address where there is
// no row, or one with another namespace.
func (s *snapshot) countAddresses() {
	s.population, s.perRoot, s.rowless = map[string]int{}, map[string]int{}, nil
	both := 0
	for i := range s.index.Entries {
		e := &s.index.Entries[i]
		s.population[e.Namespace]++
		s.perRoot[e.ScanRoot]++
		endpoints := s.relay.Endpoints[e.ID]
		if len(endpoints) == 0 {
			continue
		}
		both++
		for _, ns := range foreignNamespaces(e, endpoints) {
			s.population[ns]++
		}
	}
	if both == len(s.relay.Endpoints) {
		return
	}
	for id, endpoints := range s.relay.Endpoints {
		if len(endpoints) == 0 || s.entry(id) != nil {
			continue
		}
		s.rowless = append(s.rowless, id)
		for _, ns := range foreignNamespaces(nil, endpoints) {
			s.population[ns]++
		}
	}
	slices.Sort(s.rowless)
}

// foreignNamespaces are those of an id's endpoints in which it has no row.
func foreignNamespaces(row *agent.Entry, endpoints []agent.Endpoint) []string {
	var list []string
	for _, e := range endpoints {
		if row != nil && e.Subject.Is(row.Namespace, row.ID) {
			continue
		}
		ns, _, _ := agent.ParseSubject(string(e.Subject))
		if !slices.Contains(list, ns) {
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

// recordedRoots are the scan roots that rows name.
func recordedRoots(l *agent.IndexListing) []string {
	var roots []string
	last := ""
	for i := range l.Entries {
		r := l.Entries[i].ScanRoot
		if r == last { // as good as always
			continue
		}
		last = r
		if r != "" && !slices.Contains(roots, r) {
			roots = append(roots, r)
		}
	}
	slices.Sort(roots)
	return roots
}
