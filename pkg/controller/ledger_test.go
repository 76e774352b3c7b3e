package controller

import (
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// A key is parked while it backs off or while its removal is timed; one that
// does both is one key.
func TestGaugesCountParkedKeys(t *testing.T) {
	l := newLedger()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l.failed("failing", now)
	l.failed("both", now)
	l.orphans["both"] = orphan{removeAt: now.Add(time.Hour)}
	l.orphans["timed"] = orphan{removeAt: now.Add(time.Hour)}
	l.orphans["for-ever"] = orphan{}
	if g := l.gauges(); g.Parked != 3 {
		t.Errorf("%d parked, want 3", g.Parked)
	}
	l.settled(agent.ID("failing"), false)
	if g := l.gauges(); g.Parked != 2 {
		t.Errorf("%d parked once one is settled, want 2", g.Parked)
	}
}

// The index gives times back in milliseconds: an absence is the same one after the
// next listing, and what was computed of it stays.
func TestAbsenceOutlivesAListing(t *testing.T) {
	l := newLedger()
	since := time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC)
	state := agent.State{ID: "a", MissingSince: since, Clock: agent.Stamp{Wall: since}, Evidence: agent.FileMissing}
	l.planned(&plan.Plan{
		ID: "a", Absent: agent.FileMissing, RemoveAt: since.Add(time.Hour),
		Change: agent.Change{ID: "a", SetState: true, State: &state},
	}, nil, nil)
	state.MissingSince = since.Truncate(time.Millisecond)
	l.load(&snapshot{index: &agent.IndexListing{States: map[agent.ID]agent.State{"a": state}}})
	if g := l.gauges(); !g.NextRemoval.Equal(since.Add(time.Hour)) || g.Parked != 1 {
		t.Errorf("the next removal is at %v, %d parked", g.NextRemoval, g.Parked)
	}
}
