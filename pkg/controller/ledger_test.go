package controller

import (
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
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
