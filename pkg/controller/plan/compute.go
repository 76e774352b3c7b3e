package plan

import (
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// planner carries one decision.
type planner struct {
	o    *Observation
	p    Policy
	plan Plan
	// state and problems to be; both are compared with what is recorded at the
	// end, so that nothing is written when nothing changed.
	state    *agent.State
	problems []agent.Problem
	// told: the deed is in the history already.
	told bool
}

// Compute decides what to do about one id. It is total and deterministic.
func Compute(o Observation, p Policy) Plan {
	pl := &planner{o: &o, p: p}
	pl.plan.ID = o.ID
	pl.plan.Path = o.path()
	pl.plan.Reason = agent.InSync
	pl.plan.Change = agent.Change{ID: o.ID, At: o.Now, Expected: o.Row}
	if o.State != nil {
		s := *o.State
		pl.state = &s
	}
	if o.Row != nil {
		pl.known()
	} else {
		pl.unknown()
	}
	pl.finish()
	return pl.plan
}

// known plans for an id that has a row.
func (pl *planner) known() {
	home := pl.o.Home
	if home.Denied {
		pl.deny()
		return
	}
	if pl.adopt() {
		return
	}
	e := pl.evidence()
	if e != agent.Present {
		pl.voidLost()
	}
	switch e {
	case agent.Present:
		pl.refuse(pl.o.Claims, pl.o.Row.Path, home.Look.Dir)
		pl.sync()
	case agent.Invalid:
		pl.refuse(pl.o.Claims, pl.o.Row.Path, home.Look.Dir)
		pl.keep()
	case agent.Unknown:
		pl.refuse(pl.o.Claims, pl.o.Row.Path, home.Look.Dir)
		pl.doubt(home.Look)
	case agent.OtherAgent, agent.FileMissing, agent.DirMissing, agent.VolumeGone:
		pl.gone(e)
	}
}

// evidence is what the look at home says, the namespace included: a manifest
// that may not use its namespace is invalid.
func (pl *planner) evidence() agent.Evidence {
	e := pl.o.Home.Look.Judge(pl.o.ID, pl.o.remembered())
	if e == agent.Present && pl.o.Home.Place.Problem != nil {
		return agent.Invalid
	}
	return e
}

// unknown plans for an id that has no row: a newcomer, one that returns, one
// that was displaced, or what is left of one.
func (pl *planner) unknown() {
	candidates, doubt := pl.eligible()
	switch {
	case pl.o.Twin != "" && len(candidates) > 0:
		pl.refuseTwin(candidates)
	case pl.adoptable(candidates):
		pl.insert(candidates)
	case len(candidates) > 1 && !allComplete(candidates):
		pl.wait(candidates)
	case doubt != nil && (len(candidates) > 0 || !pl.o.displaced()):
		pl.problems = pl.refusals()
		pl.doubt(*doubt)
	case len(candidates) > 0:
		pl.insert(candidates)
	default:
		pl.refuse(pl.o.Claims, "", agent.FileID{})
		pl.homeless()
	}
}

// homeless plans for an id that has neither row nor a place that it may take.
func (pl *planner) homeless() {
	switch {
	case pl.o.displaced() && pl.deniedAtHome():
		pl.deny()
	case pl.o.displaced():
		pl.orphan(pl.displacedEvidence())
	case len(pl.o.Relay.Endpoints) > 0:
		pl.leftover()
	default:
		pl.forget()
	}
}

// deniedAtHome: the place that an id was displaced from is denied and, as far as
// can be told, the id is there: no clock would end that.
func (pl *planner) deniedAtHome() bool {
	return pl.o.Home != nil && pl.o.Home.Denied && !pl.evidence().Absent()
}

// displacedEvidence is what the place that an id was displaced from says now.
// An id that is back there would be a claim, so Present cannot be; a manifest
// that does not parse, or a look that failed, is no absence.
func (pl *planner) displacedEvidence() agent.Evidence {
	if pl.o.Home == nil {
		return agent.Unknown
	}
	return pl.evidence()
}

// deny takes an agent on the deny list out of index and relay at once; its file
// stays untouched.
func (pl *planner) deny() {
	if pl.o.Relay.Down != "" {
		pl.plan.Reason, pl.plan.Message = agent.Denied, pl.o.Relay.Down
		pl.plan.Retry = true
		return
	}
	pl.plan.Reason = agent.Denied
	pl.plan.Message = "the path is on the deny list; the file stays as it is"
	pl.remove(agent.Denied, pl.plan.Message)
}

// doubt changes nothing and asks to be called again.
func (pl *planner) doubt(l agent.Look) {
	if pl.plan.Path == "" {
		pl.plan.Path = l.Path
	}
	pl.plan.Reason = agent.UnknownEvidence
	pl.plan.Message = "could not tell: " + l.Err
	pl.plan.Retry = true
	pl.problem(agent.UnknownEvidence, l.Path, pl.plan.Message)
}

// refusals are the recorded ones: as long as no home is settled they decide who
// gets the id.
func (pl *planner) refusals() []agent.Problem { return pl.recordedProblems(agent.DuplicateID) }

func (pl *planner) recordedProblems(r agent.Reason) []agent.Problem {
	var kept []agent.Problem
	for _, p := range pl.o.Problems {
		if p.Reason == r {
			kept = append(kept, p)
		}
	}
	return kept
}

// wait leaves the choice among several claimants to a complete listing.
func (pl *planner) wait(candidates []Claim) {
	pl.plan.Path = candidates[0].Look.Path
	pl.plan.Reason = agent.IncompleteListing
	pl.plan.Message = "several places carry this id and part of the disk could not be listed"
	pl.plan.NeedSweep = true
	pl.problems = slices.Clone(pl.o.Problems)
	pl.plan.Hold = &Hold{Reason: agent.IncompleteListing, Since: pl.o.Now.Wall}
}

// keep leaves row and relay in their last good state while the manifest is not
// one.
func (pl *planner) keep() {
	v := pl.o.Home.Look.Problem
	if v == nil {
		v = pl.o.Home.Place.Problem
	}
	pl.plan.Reason = agent.ManifestInvalid
	pl.plan.Message = v.Error()
	pl.problem(agent.ManifestInvalid, pl.o.Row.Path, v.Error())
	pl.relay(pl.o.Row)
}

// forget drops what is remembered of an id that nothing knows any more, or
// that is refused wherever it is. An address of it may be left where the relay
// does not answer: its clock waits.
func (pl *planner) forget() {
	down := pl.o.Relay.Down != "" && pl.o.missing()
	if down {
		pl.problems = append(pl.problems, pl.recordedProblems(agent.EndpointLeaked)...)
		pl.plan.Retry = true
	}
	if len(pl.problems) > 0 {
		p := &pl.problems[0]
		pl.plan.Path, pl.plan.Reason, pl.plan.Message = p.Path, p.Reason, p.Message
	}
	if pl.state != nil && !pl.state.Paused && !down {
		pl.state = nil
	}
}
