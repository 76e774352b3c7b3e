package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// TestMass has one row per rule of the hold of a mass disappearance.
func TestMass(t *testing.T) {
	policy := plan.MassPolicy{Min: 5, Ratio: 0.55, Window: 10 * time.Minute, Hold: 3 * grace}
	ago := func(minutes ...int) (times []time.Time) {
		for _, m := range minutes {
			times = append(times, now.Wall.Add(-time.Duration(m)*time.Minute))
		}
		return times
	}
	together := func(n int) []time.Time { return ago(make([]int, n)...) }
	hold := func(since, last int) *plan.Hold {
		return &plan.Hold{Reason: agent.MassMissing, Since: ago(since)[0], Until: ago(last)[0].Add(3 * grace)}
	}
	for _, c := range []struct {
		name     string
		missing  []time.Time
		agents   int
		released time.Time
		change   func(*plan.MassPolicy)
		want     *plan.Hold
	}{
		{name: "nobody is missing", agents: 9},
		{name: "5 of 5", missing: together(5), agents: 5, want: hold(0, 0)},
		{name: "3 of 3 are too few", missing: together(3), agents: 3},
		{name: "4 of 4 are too few", missing: together(4), agents: 4},
		{name: "5 of 9 are enough", missing: together(5), agents: 9, want: hold(0, 0)},
		{name: "5 of 10 are too small a part", missing: together(5), agents: 10},
		{name: "55 of 100 are exactly the ratio", missing: together(55), agents: 100, want: hold(0, 0)},
		{name: "54 of 100 are below the ratio", missing: together(54), agents: 100},
		{name: "77 of 140 are exactly the ratio", missing: together(77), agents: 140, want: hold(0, 0)},
		{name: "as far apart as the window", missing: ago(0, 2, 4, 6, 10), agents: 5, want: hold(10, 0)},
		{name: "further apart than the window", missing: ago(0, 2, 4, 6, 11), agents: 5},
		{name: "in any order", missing: ago(4, 0, 10, 2, 6), agents: 5, want: hold(10, 0)},
		{name: "a straggler does not count, nor break the hold", missing: ago(0, 1, 2, 3, 4, 900), agents: 9, want: hold(4, 0)},
		{name: "of two the later holds longer", missing: ago(1, 1, 1, 1, 1, 90, 90, 90, 90, 90), agents: 9, want: hold(1, 1)},
		{name: "released", missing: ago(5, 5, 5, 5, 5), agents: 5, released: ago(5)[0]},
		{name: "released before it began", missing: ago(5, 5, 5, 5, 5), agents: 5, released: ago(6)[0], want: hold(5, 5)},
		{name: "what is missing after a release counts alone", missing: ago(1, 1, 1, 1, 5), agents: 5, released: ago(5)[0]},
		{
			name: "held to the last moment", missing: together(5), agents: 5, change: func(p *plan.MassPolicy) { p.Hold = 1 },
			want: &plan.Hold{Reason: agent.MassMissing, Since: now.Wall, Until: now.Wall.Add(1)},
		},
		{name: "expires", missing: ago(5, 5, 5, 5, 5), agents: 5, change: func(p *plan.MassPolicy) { p.Hold = 5 * time.Minute }},
		{name: "ratio 0 turns it off", missing: together(9), agents: 9, change: func(p *plan.MassPolicy) { p.Ratio = 0 }},
		{name: "ratio 1 wants all", missing: together(8), agents: 9, change: func(p *plan.MassPolicy) { p.Ratio = 1 }},
		{name: "minimum 0 is one", agents: 1, change: func(p *plan.MassPolicy) { p.Min = 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policy
			if c.change != nil {
				c.change(&p)
			}
			got := plan.Mass(c.missing, c.agents, c.released, now.Wall, p)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("hold (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMassKeepsItsInput: the times are those of the snapshot, which is shared.
func TestMassKeepsItsInput(t *testing.T) {
	missing := []time.Time{now.Wall, now.Wall.Add(-time.Hour), now.Wall.Add(-time.Minute)}
	want := append([]time.Time(nil), missing...)
	plan.Mass(missing, 3, now.Wall.Add(-time.Hour), now.Wall, plan.MassPolicy{Min: 1, Ratio: 0.1, Window: time.Hour, Hold: time.Hour})
	if diff := cmp.Diff(want, missing); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
}

func TestMassWindow(t *testing.T) {
	for resync, want := range map[time.Duration]time.Duration{
		0: 10 * time.Second, time.Second: 10 * time.Second, 5 * time.Second: 10 * time.Second,
		6 * time.Second: 12 * time.Second, 5 * time.Minute: 10 * time.Minute,
	} {
		if got := plan.MassWindow(resync); got != want {
			t.Errorf("MassWindow(%s) = %s, want %s", resync, got, want)
		}
	}
}

// An orphan that a mass disappearance holds is looked at when its plain grace
// ends, so that the hold shows, and again when the hold does.
func TestHoldShowsWhenTheGraceEnds(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &agent.State{MissingSince: now.Add(-time.Hour), Clock: agent.Stamp{Wall: now.Add(-time.Hour)}}
	hold := &plan.Hold{Reason: agent.MassMissing, Since: now.Add(-time.Hour), Until: now.Add(71 * time.Hour)}
	f := plan.Forecast(s, agent.DirMissing, agent.Stamp{Wall: now}, hold, plan.Policy{OrphanGrace: 24 * time.Hour})
	if f.Held || !f.HeldFrom.Equal(now.Add(23*time.Hour)) || !f.RemoveAt.Equal(hold.Until) {
		t.Errorf("%+v", f)
	}
	f = plan.Forecast(s, agent.DirMissing, agent.Stamp{Wall: f.HeldFrom}, hold, plan.Policy{OrphanGrace: 24 * time.Hour})
	if !f.Held || !f.RemoveAt.Equal(hold.Until) {
		t.Errorf("%+v", f)
	}
}
