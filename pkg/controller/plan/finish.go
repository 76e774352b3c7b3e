package plan

import (
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// finish compares what is to be remembered with what is, so that a plan that
// changes nothing writes nothing.
func (pl *planner) finish() {
	c := &pl.plan.Change
	if pl.state.Empty() {
		pl.state = nil
	}
	if !sameState(pl.o.State, pl.state) {
		c.SetState, c.State = true, pl.state
	}
	slices.SortFunc(pl.problems, byPlace)
	pl.announce()
	if !sameProblems(pl.o.Problems, pl.problems) {
		c.SetProblems, c.Problems = true, pl.problems
	}
	if pl.o.Paused && pl.o.Order == (Order{}) {
		pl.pause()
		return
	}
	// An absence may end without an action, where another writer kept the row.
	done := len(pl.plan.Actions) > 0 || pl.plan.Reason == agent.Resurrected
	if done && pl.plan.Deed == nil && !pl.plan.Starts && !pl.told {
		pl.plan.Deed = &agent.Event{
			At: pl.o.Now.Wall, ID: pl.o.ID, Reason: pl.plan.Reason, Path: pl.plan.Path, Message: pl.plan.Message,
		}
	}
}

// pause leaves everything as it is and says how much waits. That the volume of an
// absence on record was away, or a mass disappearance held it, is remembered all the
// same: the clock is to begin anew when that ends, as if nobody had paused.
func (pl *planner) pause() {
	message := "converging is off"
	if n := len(pl.plan.Actions); n > 0 {
		message += "; " + countOf(n, "an action waits", "actions wait")
	}
	c := agent.Change{ID: pl.o.ID, At: pl.plan.Change.At, Expected: pl.plan.Change.Expected}
	if pl.o.missing() {
		seen := *pl.o.State
		if pl.plan.Absent == agent.VolumeGone {
			seen.Evidence = agent.VolumeGone
		}
		seen.Held = seen.Held || pl.state != nil && pl.state.Held
		if c.SetState = seen != *pl.o.State; c.SetState {
			c.State = &seen
		}
	}
	pl.plan = Plan{ID: pl.o.ID, Path: pl.plan.Path, Reason: agent.Paused, Message: message, Change: c}
}

// announce makes an event of each problem that is new or says something else.
func (pl *planner) announce() {
	for _, p := range pl.problems {
		known := slices.ContainsFunc(pl.o.Problems, func(k agent.Problem) bool { return sameProblem(k, p) })
		if !known && !(p.Reason == agent.EndpointLeaked && pl.plan.Starts) {
			pl.event(p.Reason, p.Path, p.Message)
		}
	}
}

func (pl *planner) problem(r agent.Reason, path, message string) {
	pl.problems = append(pl.problems, agent.Problem{Path: path, Reason: r, ID: pl.o.ID, Message: message})
}

func (pl *planner) event(r agent.Reason, path, message string) {
	pl.plan.Change.Events = append(pl.plan.Change.Events,
		agent.Event{At: pl.o.Now.Wall, ID: pl.o.ID, Reason: r, Path: path, Message: message})
}

func sameState(a, b *agent.State) bool {
	if a == nil || b == nil {
		return a.Empty() && b.Empty()
	}
	return a.MissingSince.Equal(b.MissingSince) && a.Clock.Wall.Equal(b.Clock.Wall) &&
		a.Clock.BootID == b.Clock.BootID && a.Clock.Offset == b.Clock.Offset &&
		a.Evidence == b.Evidence && a.Mount == b.Mount && a.Lost == b.Lost && a.Paused == b.Paused &&
		a.Held == b.Held
}

func sameProblems(recorded, wanted []agent.Problem) bool {
	r := slices.Clone(recorded)
	slices.SortFunc(r, byPlace)
	return slices.EqualFunc(r, wanted, sameProblem)
}

func sameProblem(a, b agent.Problem) bool {
	return a.Path == b.Path && a.Reason == b.Reason && a.ID == b.ID && a.Message == b.Message
}

func byPlace(a, b agent.Problem) int {
	if c := strings.Compare(a.Path, b.Path); c != 0 {
		return c
	}
	return strings.Compare(string(a.Reason), string(b.Reason))
}
