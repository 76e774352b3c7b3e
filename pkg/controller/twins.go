package controller

import (
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// findTwins pairs ids that differ only in letter case with the one that keeps
// it: whoever has a row, else an endpoint, else a manifest at a place that it may
// take, else the first in byte order.
func (s *snapshot) findTwins() {
	s.twins = map[agent.ID]agent.ID{}
	first := map[string]agent.ID{}
	for _, id := range s.twinnable() {
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
}

// twinnable lists the ids that may have a twin, those with a row first, then
// those with an address alone, which is in the way until its grace is over. Of
// two twins at least one has a small letter: ULIDs are none to each other.
func (s *snapshot) twinnable() []agent.ID {
	small := map[string]struct{}{}
	s.eachID(func(id agent.ID) {
		if !id.Capital() {
			small[id.Fold()] = struct{}{}
		}
	})
	if len(small) == 0 {
		return nil
	}
	var list []agent.ID
	seen := map[agent.ID]struct{}{}
	var buf [agent.MaxIDLength]byte
	s.eachID(func(id agent.ID) {
		if _, ok := small[string(id.AppendFold(buf[:0]))]; !ok {
			return
		}
		if _, twice := seen[id]; !twice {
			seen[id] = struct{}{}
			list = append(list, id)
		}
	})
	return list
}

// eachID calls f for the ids with a row, for those that have an address alone,
// and for those that the files carry, each in their order; an id may come again.
func (s *snapshot) eachID(f func(agent.ID)) {
	for i := range s.index.Entries {
		f(s.index.Entries[i].ID)
	}
	for _, id := range s.rowless {
		f(id)
	}
	for _, i := range s.files.ByID {
		f(s.files.Sightings[i].ID)
	}
}

func (s *snapshot) precedes(a, b agent.ID) bool {
	rowA, rowB := s.entry(a) != nil, s.entry(b) != nil
	if rowA != rowB {
		return rowA
	}
	endA, endB := len(s.relay.Endpoints.Of(a)) > 0, len(s.relay.Endpoints.Of(b)) > 0
	if endA != endB {
		return endA
	}
	placeA, placeB := s.placeable(a), s.placeable(b)
	if placeA != placeB {
		return placeA
	}
	return a < b
}

// placeable reports whether a manifest with the id lies at a place that is not
// denied, and may use its namespace there.
func (s *snapshot) placeable(id agent.ID) bool {
	return slices.ContainsFunc(s.files.Places(id), func(i int32) bool {
		f := &s.files.Sightings[i]
		m := agent.Manifest{Namespace: f.Namespace}
		return !denied(s.index.Denied, f.Path) && plan.Locate(&m, f.Path, s.roots, s.reserved).Problem == nil
	})
}
