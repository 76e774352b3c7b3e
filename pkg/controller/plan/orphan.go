package plan

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// gone plans for a row whose manifest is not at home: it has moved, or it is an
// orphan.
func (pl *planner) gone(e agent.Evidence) {
	candidates, doubt := pl.eligible()
	if e == agent.VolumeGone || len(candidates) == 0 {
		pl.refuse(pl.o.Claims, pl.o.Row.Path, pl.o.Home.Look.Dir)
		pl.orphan(e)
		return
	}
	if doubt != nil || !pl.o.Complete || !allComplete(candidates) {
		pl.orphan(e)
		pl.plan.Hold = &Hold{Reason: agent.IncompleteListing, Since: pl.o.Now.Wall}
		pl.plan.Message = "it may have moved, but part of the disk could not be listed"
		pl.plan.NeedSweep = true
		return
	}
	winner := pl.choose(candidates)
	pl.refuse(pl.others(winner.Look.Path), winner.Look.Path, winner.Look.Dir)
	pl.relocate(winner)
}

// others are the claims that did not win, ineligible ones included.
func (pl *planner) others(winner string) []Claim {
	var rest []Claim
	for i := range pl.o.Claims {
		if pl.o.Claims[i].Look.Path != winner {
			rest = append(rest, pl.o.Claims[i])
		}
	}
	return rest
}

// orphan keeps the clock of an absence and removes what is due. Evidence that
// is no absence leaves the clock alone and removes nothing.
func (pl *planner) orphan(e agent.Evidence) {
	if !e.Absent() {
		pl.plan.Reason = pl.orphanReason(e)
		pl.plan.Retry = e == agent.Unknown
		return
	}
	pl.plan.Reason = pl.orphanReason(e)
	pl.plan.Message = pl.absence()
	pl.clock(e)
	if pl.o.Row != nil && pl.o.Row.Status != agent.Unreachable {
		row := *pl.o.Row
		row.Status = agent.Unreachable
		pl.plan.Change.Op = agent.UpdateRow
		pl.plan.Change.Row = &row
		pl.plan.add(Action{Type: MarkUnreachable, Differences: []agent.Difference{textDifference("status", pl.o.Row.Status, agent.Unreachable)}})
	}
	if !pl.due(e) {
		if pl.o.Row != nil {
			pl.relay(pl.o.Row)
		}
		return
	}
	pl.expire()
}

// orphanReason names an orphan: displaced where another id took its path.
func (pl *planner) orphanReason(e agent.Evidence) agent.Reason {
	if pl.o.Row == nil && e != agent.VolumeGone {
		return agent.Displaced
	}
	return e.Reason()
}

// clock writes missing_since once per absence and keeps the grace's clock:
// anew when a missing volume turns into another absence, and a value of the
// future is rewritten once.
func (pl *planner) clock(e agent.Evidence) {
	now := pl.o.Now
	pl.plan.Absent = e
	if !pl.o.missing() {
		s := agent.State{ID: pl.o.ID, MissingSince: now.Wall, Clock: now, Evidence: e, Mount: pl.o.remembered()}
		if pl.state != nil {
			s.Paused = pl.state.Paused
		}
		s.Lost = pl.o.IndexLost && pl.o.path() == ""
		pl.state = &s
		pl.plan.Starts = true
		pl.plan.Change.Durable = true
		pl.event(pl.plan.Reason, pl.plan.Path, pl.plan.Message)
		return
	}
	if pl.state.Clock.Wall.After(now.Wall) ||
		pl.state.Evidence == agent.VolumeGone && e != agent.VolumeGone {
		pl.state.Clock = now
		pl.plan.Change.Durable = true
	}
	pl.state.Evidence = e
	if pl.state.Mount.IsZero() {
		pl.state.Mount = pl.o.remembered()
	}
}

// due reports whether the orphan is to be removed now; where it is not, the
// plan says what it waits for and until when.
func (pl *planner) due(e agent.Evidence) bool {
	if pl.claimed() {
		return false
	}
	grace, ends := pl.grace(e)
	if e == agent.VolumeGone {
		pl.plan.Hold = &Hold{Reason: agent.VolumeMissing, Since: pl.state.MissingSince}
	}
	if !ends {
		return false
	}
	// A step of the wall clock does not count, so that much later it ends.
	remaining := grace - pl.state.Clock.Elapsed(pl.o.Now)
	pl.plan.RemoveAt = pl.o.Now.Wall.Add(remaining)
	if pl.plan.Hold != nil {
		pl.plan.Hold.Until = pl.plan.RemoveAt
	}
	if pl.held() {
		return false
	}
	if remaining > 0 {
		pl.plan.RequeueAfter = remaining
		return false
	}
	pl.plan.RemoveAt = pl.o.Now.Wall
	return pl.p.Forecast || pl.settled(grace)
}

// held applies the hold of a mass disappearance.
func (pl *planner) held() bool {
	m := pl.o.Mass
	if m == nil || !m.Until.After(pl.o.Now.Wall) {
		return false
	}
	pl.plan.Hold = m
	if m.Until.After(pl.plan.RemoveAt) {
		pl.plan.RemoveAt = m.Until
	}
	pl.plan.RequeueAfter = pl.plan.RemoveAt.Sub(pl.o.Now.Wall)
	return true
}

// grace is how long the absence lasts before removal; false: for ever.
func (pl *planner) grace(e agent.Evidence) (time.Duration, bool) {
	if e == agent.VolumeGone || pl.state.Lost {
		return pl.p.UnmountedGrace, pl.p.UnmountedGrace > 0
	}
	return pl.p.OrphanGrace, true
}

// settled reports whether the absence was seen often and long enough, on a
// listing that can speak about it.
func (pl *planner) settled(grace time.Duration) bool {
	if pl.o.IndexLost || !pl.o.Complete {
		pl.plan.Hold = &Hold{Reason: agent.IncompleteListing, Since: pl.plan.RemoveAt}
		pl.plan.NeedSweep = true
		return false
	}
	settle := min(pl.p.Settle, grace)
	switch {
	case pl.p.OneShot && pl.o.Looks >= 2, pl.o.Looks >= 2 && pl.o.AbsentFor >= settle:
		return true
	case pl.p.OneShot:
		pl.plan.SecondLook = true
	default:
		pl.plan.RequeueAfter = max(settle-pl.o.AbsentFor, time.Second)
	}
	pl.plan.Hold = &Hold{
		Reason: agent.Settling,
		Since:  pl.o.Now.Wall.Add(-pl.o.AbsentFor),
		Until:  pl.o.Now.Wall.Add(pl.plan.RequeueAfter),
	}
	return false
}

// claimed reports whether a manifest that carries the id, or may do so, is
// somewhere: an agent whose manifest can be read is never removed.
func (pl *planner) claimed() bool {
	for i := range pl.o.Claims {
		c := &pl.o.Claims[i]
		if !c.Denied && (pl.carries(c) || c.Look.Class == agent.Unknown || c.Look.Class == agent.Invalid) {
			return true
		}
	}
	return false
}

// absence says what is missing, for people.
func (pl *planner) absence() string {
	l := &pl.o.Home.Look
	switch {
	case l.Class == agent.Present:
		return "another agent's manifest (" + string(l.Manifest.ID) + ") lies there"
	case l.Err != "":
		return l.Err
	}
	return "the manifest is gone"
}
