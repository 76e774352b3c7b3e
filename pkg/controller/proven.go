package controller

import (
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// leaveProven takes those away whom the listings of a first sweep prove to be
// converged. A process without memory would have to look at every agent once
// more; of one that lies where its row says, alone, says what its row says, and
// has nothing beside it that a plan would take up, the listings have shown all
// that a plan rests on.
func (c *Controller) leaveProven(s *snapshot, ids []agent.ID) []agent.ID {
	p := s.newProof(c.ports.Relay != nil)
	if p == nil {
		return ids
	}
	return slices.DeleteFunc(ids, p.holds)
}

// proof is what is the same for every id.
type proof struct {
	s        *snapshot
	relay    bool
	troubled map[agent.ID]struct{} // ids of which a problem is recorded
	places   map[string]struct{}   // and paths
	roots    map[string]*agent.RootReport
}

// newProof is nil where the listings as a whole prove nothing: the index was
// lost, a crash has to be cleared up after, everything is paused, or the relay
// did not answer.
func (s *snapshot) newProof(relay bool) *proof {
	if s.index.Lost || s.index.Paused || s.recovers || relay && s.relayTrouble() != "" {
		return nil
	}
	p := &proof{s: s, relay: relay, troubled: map[agent.ID]struct{}{}, places: map[string]struct{}{}, roots: map[string]*agent.RootReport{}}
	for i := range s.index.Problems {
		p.troubled[s.index.Problems[i].ID] = struct{}{}
		p.places[s.index.Problems[i].Path] = struct{}{}
	}
	for i := range s.files.Roots {
		r := &s.files.Roots[i]
		if r.Complete && !r.Gone && !r.Mount.IsZero() && r.Mount == s.rootMounts[r.Path] {
			p.roots[r.Path] = r
		}
	}
	return p
}

// holds reports whether nothing is to be done about the id.
func (p *proof) holds(id agent.ID) bool {
	e := p.s.entry(id)
	return e != nil && p.unremarkable(e) && p.inPlace(e) && p.reachable(e)
}

// unremarkable: nothing is recorded of the agent but its row.
func (p *proof) unremarkable(e *agent.Entry) bool {
	_, state := p.s.index.States[e.ID]
	_, returned := p.s.index.Returned[e.ID]
	_, twin := p.s.twins[e.ID]
	_, troubled := p.troubled[e.ID]
	_, trouble := p.places[e.Path]
	return !state && !returned && !twin && !troubled && !trouble &&
		e.Status == agent.Active && !e.System && !denied(p.s.index.Denied, e.Path)
}

// inPlace: its manifest alone carries the id, lies where the row says, on the
// mount that is remembered for its root, and asks for what the row says.
func (p *proof) inPlace(e *agent.Entry) bool {
	seen := p.s.files.Places(e.ID)
	if len(seen) != 1 || e.Digest == 0 {
		return false
	}
	f := &p.s.files.Sightings[seen[0]]
	// A system agent is one by its place too, which the digest knows nothing of.
	if f.System || f.Path != e.Path || f.Digest != e.Digest || e.ScanRoot != "" && !agent.Within(e.Path, e.ScanRoot) {
		return false
	}
	m := agent.Manifest{Namespace: f.Namespace}
	place := plan.Locate(&m, f.Path, p.s.roots, p.s.reserved)
	root := p.roots[place.ScanRoot]
	return place.Problem == nil && place.Namespace == e.Namespace && root != nil &&
		!slices.ContainsFunc(root.Inner, func(point string) bool { return agent.Within(e.Path, point) })
}

// reachable: it has its one address, whole, under its namespace's rules.
func (p *proof) reachable(e *agent.Entry) bool {
	if !p.relay {
		return true
	}
	r := p.s.relay
	there := r.Endpoints.Of(e.ID)
	return len(there) == 1 && there[0].Whole && there[0].Subject.Is(e.Namespace, e.ID) &&
		agent.IsNamespace(e.Namespace) && r.Rules[e.Namespace].Covers(false) && !r.Kept[e.ID]
}
