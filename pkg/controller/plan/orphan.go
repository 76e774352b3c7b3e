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
		// Who was refused so far stays on record: it decides who inherits.
		pl.problems = pl.refusals()
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
		pl.plan.Message = "could not tell whether it is back"
		pl.plan.Retry = e == agent.Unknown
		return
	}
	if pl.unregistered(e) {
		pl.unregister(e)
		return
	}
	pl.plan.Reason = pl.orphanReason(e)
	pl.plan.Message = pl.absence()
	pl.clock(e)
	pl.unreachable()
	if !pl.due(e) {
		pl.waits()
		return
	}
	pl.expire()
}

// waits plans for an orphan that stays for now: it keeps its address, but for what
// a removal that was interrupted took away and will go on to take. One that is not
// to go on, its clock being set anew, a hold having begun or its manifest having
// turned up, is void; that a place is in doubt says nothing of it.
func (pl *planner) waits() {
	if pl.o.Row == nil {
		return
	}
	if pl.interrupted(agent.Removed) {
		goesOn := !pl.plan.RemoveAt.IsZero() && !pl.plan.RemoveAt.After(pl.o.Now.Wall)
		if goesOn || pl.claimed() && !pl.carried() {
			return
		}
		pl.plan.Change.Unbury = true
		pl.event(pl.plan.Reason, pl.plan.Path, pl.plan.Message+"; a removal that had begun is not carried on")
		pl.told = true
	}
	pl.relay(pl.o.Row)
}

// leaving reports whether an end of this kind is on record beside the row.
func (pl *planner) leaving(r agent.Reason) bool {
	return pl.o.Row != nil && pl.o.Tombstone != nil && pl.o.Tombstone.Reason == r
}

// interrupted reports whether a removal of this kind is on record, and in the
// history, that did not come to its end. The record that precedes an unregistration
// has no evidence; one that is older than the absence is of another row.
func (pl *planner) interrupted(r agent.Reason) bool {
	t := pl.o.Tombstone
	if t == nil || t.Reason != r || t.Evidence == "" {
		return false
	}
	return r != agent.Removed || pl.o.missing() && !pl.o.State.MissingSince.After(t.At)
}

// unreachable marks the row so.
func (pl *planner) unreachable() {
	if pl.o.Row == nil || pl.o.Row.Status == agent.Unreachable {
		return
	}
	row := *pl.o.Row
	row.Status = agent.Unreachable
	if pl.concede(&row, nil); row.Status == pl.o.Row.Status {
		return
	}
	pl.plan.Change.Op = agent.UpdateRow
	pl.plan.Change.Row = &row
	pl.plan.add(Action{Type: MarkUnreachable, Differences: []agent.Difference{textDifference("status", pl.o.Row.Status, agent.Unreachable)}})
}

// unregistered reports whether an operator took the manifest away: the record
// was made before the file went. It says nothing of a volume that is not there,
// nor of an id that lies elsewhere too.
func (pl *planner) unregistered(e agent.Evidence) bool {
	return pl.leaving(agent.Unregistered) && !pl.o.IndexLost && e != agent.VolumeGone && !pl.claimed()
}

// voidLost voids an unregistration that a loss of the index may have brought
// back: on any evidence, or it would be carried on once the index is found.
func (pl *planner) voidLost() {
	if !pl.o.IndexLost || !pl.leaving(agent.Unregistered) {
		return
	}
	pl.plan.Change.Unbury = true
	pl.event(agent.Conflict, pl.plan.Path, "an unregistration was not finished before the index was restored; it is not carried on, unregister it again")
}

// unregister takes out at once what an operator unregistered. Where the relay
// does not answer the rest follows when it does.
func (pl *planner) unregister(e agent.Evidence) {
	pl.plan.Absent = e
	if pl.o.Relay.Down != "" {
		pl.plan.Reason = agent.Unregistered
		pl.plan.Message = "its address and its row go when the relay answers again: " + pl.o.Relay.Down
		pl.plan.Retry = true
		pl.unreachable()
		return
	}
	pl.plan.Confirm = true
	pl.remove(agent.Unregistered, "unregistered")
	pl.plan.Message = "unregistered"
}

// orphanReason names an orphan: displaced where another id took its path.
func (pl *planner) orphanReason(e agent.Evidence) agent.Reason {
	if pl.o.Row == nil && e != agent.VolumeGone {
		return agent.Displaced
	}
	return e.Reason()
}

// clock writes missing_since once per absence and keeps the grace's clock.
func (pl *planner) clock(e agent.Evidence) {
	now := pl.o.Now
	pl.plan.Absent = e
	if !pl.o.missing() {
		s := agent.State{ID: pl.o.ID, MissingSince: now.Wall, Clock: now, Evidence: e, Mount: pl.o.remembered()}
		if pl.state != nil {
			s.Paused = pl.state.Paused
		}
		s.Lost = pl.o.IndexLost && pl.o.Row == nil
		pl.state = &s
		pl.plan.Starts = true
		pl.plan.Change.Durable = true
		pl.event(pl.plan.Reason, pl.plan.Path, pl.plan.Message+pl.keptUntil(e))
		return
	}
	if pl.anew(e) {
		pl.state.Clock = now
		pl.state.Held = false
		pl.plan.Change.Durable = true
	}
	pl.state.Evidence = e
	if pl.state.Mount.IsZero() {
		pl.state.Mount = pl.o.remembered()
	}
}

// keptUntil is what the history says of how long an absence without its volume
// is waited for.
func (pl *planner) keptUntil(e agent.Evidence) string {
	if e != agent.VolumeGone {
		return ""
	}
	if f := Forecast(pl.state, e, pl.o.Now, nil, pl.p); !f.RemoveAt.IsZero() {
		return "; kept until " + agent.FormatTime(f.RemoveAt)
	}
	return "; kept until it returns"
}

// anew reports whether the clock of an absence begins anew: when it lies in the
// future, when it is older than a loss of the index (what a backup says of time
// is not to be believed), when a missing volume turns into another absence, and
// when the mass hold that held the orphan ends by return. Each of them once.
func (pl *planner) anew(e agent.Evidence) bool {
	s, now := pl.state, pl.o.Now.Wall
	return s.Clock.Wall.After(now) ||
		s.Clock.Wall.Before(pl.o.LostSince) && s.Clock.Wall.Before(now) ||
		s.Evidence == agent.VolumeGone && e != agent.VolumeGone ||
		s.Held && pl.o.MassReturned
}

// due reports whether the orphan is to be removed now; where it is not, the
// plan says what it waits for and until when.
func (pl *planner) due(e agent.Evidence) bool {
	if pl.claimed() {
		return false
	}
	f := Forecast(pl.state, e, pl.o.Now, pl.o.Mass, pl.p)
	held := pl.o.Mass != nil && f.Hold == pl.o.Mass
	if held && !pl.state.Held && f.RemoveAt.Equal(f.Hold.Until) {
		pl.event(agent.MassMissing, pl.plan.Path, "much of its scan root is missing too: its removal is held until "+agent.FormatTime(f.Hold.Until))
	}
	pl.state.Held = pl.state.Held || held
	pl.plan.Hold, pl.plan.RemoveAt, pl.plan.Held = f.Hold, f.RemoveAt, f.Held
	if f.RemoveAt.IsZero() {
		return false
	}
	if wait := f.RemoveAt.Sub(pl.o.Now.Wall); wait > 0 {
		// Looked at when the hold takes over too, so that it shows.
		if until := f.HeldFrom.Sub(pl.o.Now.Wall); until > 0 {
			wait = min(wait, until)
		}
		pl.plan.RequeueAfter = wait
		return false
	}
	pl.plan.Hold, pl.plan.Held = nil, false
	pl.plan.RemoveAt = pl.o.Now.Wall
	if pl.o.Relay.Down != "" {
		pl.plan.Retry = true
		return false
	}
	return pl.p.Forecast || pl.settled(f.Grace)
}

// Outlook is how an absence will end by itself.
type Outlook struct {
	Grace time.Duration
	// RemoveAt is when the grace and every hold are over; zero: never.
	RemoveAt time.Time
	Hold     *Hold
	// Held: the hold stops the removal already. An orphan in its plain grace is
	// not held by a mass disappearance yet.
	Held bool
	// HeldFrom is when a mass hold begins to be what keeps the orphan; zero
	// without one.
	HeldFrom time.Time
}

// Forecast computes the outlook of an absence from what is remembered of it.
// A step of the wall clock does not count as time that passed: the end moves
// with it. A hold that is over is none.
func Forecast(s *agent.State, e agent.Evidence, now agent.Stamp, mass *Hold, p Policy) Outlook {
	f := Outlook{Grace: p.OrphanGrace}
	volume := e == agent.VolumeGone
	if volume || s.Lost {
		f.Grace = p.UnmountedGrace
	}
	if f.Grace > 0 || !volume && !s.Lost {
		f.RemoveAt = now.Wall.Add(f.Grace - s.Clock.Elapsed(now))
	}
	if volume {
		f.Hold = &Hold{Reason: agent.VolumeMissing, Since: s.MissingSince, Until: f.RemoveAt}
		f.Held = true
	}
	if mass != nil && mass.Until.After(now.Wall) && !f.RemoveAt.IsZero() {
		f.Hold = mass
		f.Held = f.Held || !f.RemoveAt.After(now.Wall)
		f.HeldFrom = f.RemoveAt
		if mass.Until.After(f.RemoveAt) {
			f.RemoveAt = mass.Until
		}
	}
	return f
}

// settled reports whether the absence was seen often and long enough, on a
// listing that can speak about it.
func (pl *planner) settled(grace time.Duration) bool {
	pl.plan.Held = true
	if pl.o.IndexLost || !pl.o.Complete {
		pl.plan.Hold = &Hold{Reason: agent.IncompleteListing, Since: pl.o.Now.Wall}
		pl.plan.NeedSweep = true
		return false
	}
	settle := min(pl.p.Settle, grace)
	switch {
	case pl.p.OneShot && pl.o.Looks >= 2, pl.o.Looks >= 2 && pl.o.AbsentFor >= settle:
		pl.plan.Held = false
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
	return pl.claim(func(c *Claim) bool {
		return pl.carries(c) || c.Look.Class == agent.Unknown || c.Look.Class == agent.Invalid
	})
}

// carried reports whether a manifest that carries the id is somewhere, be it
// refused.
func (pl *planner) carried() bool { return pl.claim(pl.carries) }

// claim reports whether a claim is such that is not on the deny list.
func (pl *planner) claim(such func(*Claim) bool) bool {
	for i := range pl.o.Claims {
		if c := &pl.o.Claims[i]; !c.Denied && such(c) {
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
