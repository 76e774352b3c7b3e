package plan_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// history is one agent over time: what the disk shows, and what time really
// passed beside what the clocks say.
type history struct {
	o    plan.Observation
	past time.Duration // that really passed
	gone time.Duration // past when the absence was first seen
}

// pass lets time go by.
func (h *history) pass(d time.Duration) {
	h.past += d
	h.o.AbsentFor += d
	h.o.Now.Wall = h.o.Now.Wall.Add(d)
}

// step turns the wall clock.
func (h *history) step(d time.Duration) {
	h.o.Now.Wall = h.o.Now.Wall.Add(d)
	h.o.Now.Offset += d
}

// look plans and applies, as often as it takes, and checks what must hold
// whatever came before.
func (h *history) look(t *rapid.T) {
	before := h.o
	e := judge(&h.o)
	if !e.Absent() {
		h.o.Looks, h.o.AbsentFor = 0, 0
	} else if h.o.Looks++; h.o.Looks == 1 {
		h.o.AbsentFor = 0
	}
	p := plan.Compute(h.o, daemon)
	if p.Starts {
		h.gone = h.past
	}
	if p.Record != nil {
		switch {
		case !e.Absent():
			t.Fatalf("removed on %s", e)
		case h.past-h.gone < grace:
			t.Fatalf("removed after %s", h.past-h.gone)
		case h.o.Looks < 2 || h.o.AbsentFor < settle:
			t.Fatalf("removed after %d looks in %s", h.o.Looks, h.o.AbsentFor)
		}
	}
	h.o = apply(h.o, &p)
	if a, b := missingSince(before.State), missingSince(h.o.State); !a.IsZero() && !b.IsZero() && !a.Equal(b) {
		t.Fatalf("missing since moved from %s to %s", at(a), at(b))
	}
	if again := plan.Compute(h.o, daemon); !quiet(&again) {
		t.Fatalf("not a fixed point:\n%s", digest(again))
	}
}

// TestOverTime lives through histories of one agent: whatever happened, it is
// never removed early, and once things stay as they are it ends where it should.
func TestOverTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{o: steady()}
		looks := homes(homePath)
		still := []int{0, 6, 7, 8, 9, 10, 11, 12, 13} // neither edited nor denied
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			switch rapid.IntRange(0, 4).Draw(t, "event") {
			case 0, 1:
				h.o.Home = looks[rapid.SampledFrom(still).Draw(t, "home")].value
			case 2:
				h.pass(time.Duration(rapid.IntRange(0, 30*60).Draw(t, "minutes")) * time.Minute)
			case 3:
				h.step(time.Duration(rapid.IntRange(-48, 48).Draw(t, "hours")) * time.Hour)
			case 4: // a restart
				h.o.Looks, h.o.AbsentFor = 0, 0
			}
			if h.o.Row == nil {
				return
			}
			h.look(t)
		}
		if h.o.Row != nil {
			h.settleDown(t)
		}
	})
}

// settleDown lets nothing change any more.
func (h *history) settleDown(t *rapid.T) {
	for range 4 {
		h.pass(unmounted)
		h.look(t)
		if h.o.Row == nil {
			break
		}
	}
	switch e := judge(&h.o); {
	case e.Absent() && h.o.Row != nil:
		t.Fatalf("it is %s and was not removed", e)
	case e == agent.Present && (h.o.Row == nil || h.o.Row.Status != agent.Active || h.o.State != nil):
		t.Fatalf("it is at home and not active")
	}
}
