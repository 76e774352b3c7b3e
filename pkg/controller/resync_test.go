package controller

import (
	"slices"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// What is done about a key while its sweep goes on counts, and the key is waited
// for once more.
func TestEarlyKeys(t *testing.T) {
	var all resyncs
	done := func(s *resync, id agent.ID, sequence uint64, d deed) bool {
		all.finish(&task{id: id, plan: plan.Plan{}}, sequence, d, nil)
		return s.over()
	}
	s := all.open()
	all.early(s, "A")
	all.early(s, "B")
	if done(s, "A", 1, synced) || done(s, "B", 1, relocated) {
		t.Fatal("over before its sweep")
	}
	if queued := all.begin(s, 2, []agent.ID{"A", "C"}); !slices.Equal(queued, []agent.ID{"A", "C", "B"}) {
		t.Errorf("queued %v: whatever was early is looked at once more", queued)
	}
	all.early(s, "D") // by a walk that was left behind
	if done(s, "A", 2, 0) || done(s, "B", 2, 0) || done(s, "C", 1, 0) {
		t.Fatal("over while C was looked at before the sweep only")
	}
	if !done(s, "C", 2, discovered) {
		t.Fatal("not over with the last key")
	}
	if c := all.result(s).Counts; c.Synced != 1 || c.Relocated != 1 || c.Discovered != 1 {
		t.Errorf("counts %+v", c)
	}
	if len(all.active) > 0 {
		t.Error("still active")
	}
}

// A sweep that failed is waited for by nobody, and one that queues nothing is
// over at once.
func TestResyncEnds(t *testing.T) {
	var all resyncs
	all.cancel(all.open())
	if s := all.of(1, nil); !s.over() || len(all.active) > 0 {
		t.Errorf("over: %t, active: %d", s.over(), len(all.active))
	}
	s := all.open()
	all.abandon()
	all.begin(s, 2, []agent.ID{"A"})
	if s.over() || !s.aborted {
		t.Error("a resync that was abandoned is over")
	}
}
