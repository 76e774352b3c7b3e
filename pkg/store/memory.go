package store

import (
	"iter"
	"maps"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// memory is what the previous List saw, compact, and what own commits have done
// since. It tells what others changed.
type memory struct {
	listing *agent.IndexListing // nil: nothing is known
	look    look                // of the files, taken before the scan
	racy    bool
	dirty   bool // own writes since

	// Of each entry of the listing the hash of its row, and the entries' positions
	// in the order of the scan.
	sums  []uint64
	order []int32
	// own is what own commits have made of rows since the listing.
	own map[agent.ID]outcome
	// states that own commits set since the listing; nil: forgotten.
	states map[agent.ID]*agent.State
	// doubted ids are reported as changed by the next List in any case: a commit
	// of theirs returned an error, so that nobody knows.
	doubted map[agent.ID]struct{}
}

// lesson is what a burst does to rows and states, for the memory to learn when
// it has landed.
type lesson struct {
	rows   map[agent.ID]outcome
	states map[agent.ID]*agent.State
}

type outcome struct {
	sum  uint64
	gone bool
	// id and path of a row that is new: whoever made it has these strings too.
	id   agent.ID
	path string
}

func (l *lesson) row(id agent.ID, o outcome) {
	if l.rows == nil {
		l.rows = map[agent.ID]outcome{}
	}
	l.rows[id] = o
}

func (l *lesson) state(id agent.ID, st *agent.State) {
	if l.states == nil {
		l.states = map[agent.ID]*agent.State{}
	}
	l.states[id] = st
}

// apply makes the memory as if the previous List had seen what the burst did.
func (m *memory) apply(l *lesson) {
	m.dirty = true
	if m.listing == nil {
		return
	}
	maps.Copy(m.own, l.rows)
	maps.Copy(m.states, l.states)
}

// doubt is for a burst whose outcome is not known.
func (m *memory) doubt(l *lesson) {
	m.dirty = true
	for id := range l.rows {
		m.suspect(id)
	}
	for id := range l.states {
		m.suspect(id)
	}
}

func (m *memory) suspect(id agent.ID) {
	if m.doubted == nil {
		m.doubted = map[agent.ID]struct{}{}
	}
	m.doubted[id] = struct{}{}
}

// state is what the memory holds of an id's state.
func (m *memory) state(id agent.ID) agent.State {
	if st, ok := m.states[id]; ok {
		if st == nil {
			return agent.State{}
		}
		return *st
	}
	if m.listing == nil {
		return agent.State{}
	}
	return m.listing.States[id]
}

// remembered yields the ids of which now, the previous listing or an own commit
// has a state.
func (m *memory) remembered(now map[agent.ID]agent.State) iter.Seq[agent.ID] {
	return func(yield func(agent.ID) bool) {
		for id := range now {
			if !yield(id) {
				return
			}
		}
		for id := range m.states {
			if !yield(id) {
				return
			}
		}
		if m.listing == nil {
			return
		}
		for id := range m.listing.States {
			if !yield(id) {
				return
			}
		}
	}
}
