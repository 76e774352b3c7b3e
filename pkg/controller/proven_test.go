package controller

import (
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// provenSnapshot is what a first sweep sees of one agent that is converged.
func provenSnapshot() *snapshot {
	mount := agent.Mount{Point: "/", FSID: "1"}
	return &snapshot{
		files: &agent.Listing{
			Roots:     []agent.RootReport{{Path: "/r", Complete: true, Mount: mount}},
			Sightings: []agent.Sighting{{Path: "/r/x/one", Class: agent.Present, ID: "A", Digest: 7}, {Path: "/r/x/two", Class: agent.Present, ID: "A"}},
			ByID:      []int32{0},
		},
		index: &agent.IndexListing{
			Entries: []agent.Entry{{ID: "A", Path: "/r/x/one", Common: &agent.Common{ScanRoot: "/r", Namespace: "x", Status: agent.Active}, Digest: 7}},
			States:  map[agent.ID]agent.State{}, Returned: map[agent.ID]struct{}{},
		},
		relay: &agent.RelayListing{
			Endpoints: agent.Endpoints{{Subject: agent.SubjectOf("x", "A"), Whole: true}},
			Rules:     map[string]agent.RuleSet{"x": {Deny: true, Allow: true}}, Kept: map[agent.ID]bool{},
		},
		derived: derived{
			roots: plan.Roots{Configured: []string{"/r"}}, rootMounts: map[string]agent.Mount{"/r": mount},
			twins: map[agent.ID]agent.ID{}, reserved: map[string]bool{},
		},
	}
}

func (s *snapshot) proves(id agent.ID) bool {
	p := s.newProof(true)
	return p != nil && p.holds(id)
}

// Whatever a plan would take up keeps an agent from being proven.
func TestProof(t *testing.T) {
	if s := provenSnapshot(); !s.proves("A") || s.proves("B") {
		t.Fatal("the one that is converged is not proven, or nobody is")
	}
	for name, spoil := range map[string]func(s *snapshot, e *agent.Entry){
		"an index that was lost": func(s *snapshot, _ *agent.Entry) { s.index.Lost = true },
		"converging is paused":   func(s *snapshot, _ *agent.Entry) { s.index.Paused = true },
		"a crash before":         func(s *snapshot, _ *agent.Entry) { s.recovers = true },
		"a relay that is down":   func(s *snapshot, _ *agent.Entry) { s.relayDown = "down" },
		"rules that are broken":  func(s *snapshot, _ *agent.Entry) { s.relay.Degraded = "broken" },
		"a state":                func(s *snapshot, _ *agent.Entry) { s.index.States["A"] = agent.State{ID: "A"} },
		"a tombstone":            func(s *snapshot, _ *agent.Entry) { s.index.Returned["A"] = struct{}{} },
		"a twin":                 func(s *snapshot, _ *agent.Entry) { s.twins["A"] = "a" },
		"a problem":              func(s *snapshot, _ *agent.Entry) { s.index.Problems = []agent.Problem{{ID: "A"}} },
		"a problem of the place": func(s *snapshot, _ *agent.Entry) { s.index.Problems = []agent.Problem{{Path: "/r/x/one"}} },
		"unreachable":            func(_ *snapshot, e *agent.Entry) { e.Status = agent.Unreachable },
		"a system agent":         func(_ *snapshot, e *agent.Entry) { e.System = true },
		"a manifest that asks to be a system agent": func(s *snapshot, _ *agent.Entry) { s.files.Sightings[0].System = true },
		"denied":                    func(s *snapshot, _ *agent.Entry) { s.index.Denied = []string{"/r/x"} },
		"no manifest":               func(s *snapshot, _ *agent.Entry) { s.files.ByID = nil },
		"a copy":                    func(s *snapshot, _ *agent.Entry) { s.files.ByID = []int32{0, 1} },
		"another place":             func(s *snapshot, _ *agent.Entry) { s.files.ByID = []int32{1} },
		"other content":             func(s *snapshot, _ *agent.Entry) { s.files.Sightings[0].Digest = 8 },
		"content that was not read": func(s *snapshot, e *agent.Entry) { e.Digest, s.files.Sightings[0].Digest = 0, 0 },
		"a root that is not above":  func(_ *snapshot, e *agent.Entry) { e.ScanRoot = "/q" },
		"another namespace":         func(_ *snapshot, e *agent.Entry) { e.Namespace = "y" },
		"a reserved namespace":      func(s *snapshot, _ *agent.Entry) { s.reserved["x"] = true },
		"outside of every root":     func(s *snapshot, e *agent.Entry) { s.roots.Configured = nil; e.ScanRoot = "" },
		"a root that is incomplete": func(s *snapshot, _ *agent.Entry) { s.files.Roots[0].Complete = false },
		"a root that is gone":       func(s *snapshot, _ *agent.Entry) { s.files.Roots[0].Gone = true },
		"a root on another mount":   func(s *snapshot, _ *agent.Entry) { s.files.Roots[0].Mount.FSID = "2" },
		"a root of no mount": func(s *snapshot, _ *agent.Entry) {
			s.files.Roots[0].Mount, s.rootMounts["/r"] = agent.Mount{}, agent.Mount{}
		},
		"a mount below the root":     func(s *snapshot, _ *agent.Entry) { s.files.Roots[0].Inner = []string{"/r/x"} },
		"no address":                 func(s *snapshot, _ *agent.Entry) { s.relay.Endpoints = nil },
		"half an address":            func(s *snapshot, _ *agent.Entry) { s.relay.Endpoints[0].Whole = false },
		"another address":            func(s *snapshot, _ *agent.Entry) { s.relay.Endpoints[0].Subject = agent.SubjectOf("y", "A") },
		"two addresses":              func(s *snapshot, _ *agent.Entry) { s.relay.Endpoints = append(s.relay.Endpoints, s.relay.Endpoints[0]) },
		"rules that are missing":     func(s *snapshot, _ *agent.Entry) { s.relay.Rules = nil },
		"mail that was kept":         func(s *snapshot, _ *agent.Entry) { s.relay.Kept["A"] = true },
		"a manifest that names more": func(s *snapshot, _ *agent.Entry) { s.files.Sightings[0].Namespace = "z" },
	} {
		s := provenSnapshot()
		if spoil(s, &s.index.Entries[0]); s.proves("A") {
			t.Errorf("%s: it is proven all the same", name)
		}
	}
	s := provenSnapshot()
	if s.relay = nil; !s.newProof(false).holds("A") {
		t.Error("without a relay it is not proven")
	}
}
