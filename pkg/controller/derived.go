package controller

import (
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// derived follows from the listings alone and is kept while they stay.
type derived struct {
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
		s.derivePlaces()
		s.countAddresses()
	}
	s.findReserved()
	s.findTwins()
	return &s
}

// derivePlaces derives what the rows alone imply.
func (s *snapshot) derivePlaces() {
	s.roots.Recorded = recordedRoots(s.index)
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
	for i := range s.index.Entries {
		s.population[s.index.Entries[i].Namespace]++
		s.perRoot[s.index.Entries[i].ScanRoot]++
	}
	// Both are in the order of ids; two rows may have one.
	rows := s.index.Entries
	for id, endpoints := range s.relay.Endpoints.ByID() {
		for len(rows) > 0 && rows[0].ID < id {
			rows = rows[1:]
		}
		if len(rows) == 0 || rows[0].ID != id {
			s.rowless = append(s.rowless, id)
			for _, ns := range foreignNamespaces(nil, endpoints) {
				s.population[ns]++
			}
			continue
		}
		for ; len(rows) > 0 && rows[0].ID == id; rows = rows[1:] {
			for _, ns := range foreignNamespaces(&rows[0], endpoints) {
				s.population[ns]++
			}
		}
	}
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
