package plan_test

import (
	"maps"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// apply is a model of the world: what would be observed, with the disk as it
// is, once everything that the plan says has been done. What was observed is
// left as it was.
func apply(o plan.Observation, p *plan.Plan) plan.Observation {
	if p.Record != nil {
		o.Tombstone = p.Record
	}
	applyRelay(&o.Relay, p, owner(&o, p))
	c := &p.Change
	if c.SetState {
		o.State = c.State
	}
	if c.SetProblems {
		o.Problems = c.Problems
	}
	switch c.Op {
	case agent.KeepRow:
	case agent.InsertRow, agent.RelocateRow:
		o.Row, o.Tombstone = c.Row, nil
		moveHome(&o, c.Row.Path)
	case agent.UpdateRow:
		o.Row = c.Row
	case agent.RemoveRow:
		o.Row = nil
	}
	if c.Unbury {
		o.Tombstone = nil
	}
	remember(&o)
	return o
}

// owner is the row that the id has once the plan is done.
func owner(o *plan.Observation, p *plan.Plan) *agent.Record {
	switch p.Change.Op {
	case agent.RemoveRow:
		return nil
	case agent.InsertRow, agent.RelocateRow, agent.UpdateRow:
		return p.Change.Row
	case agent.KeepRow:
	}
	return o.Row
}

// moveHome makes the claim at path the home. A former home that still carries
// the id is a claim from then on.
func moveHome(o *plan.Observation, path string) {
	old := o.Home
	var rest []plan.Claim
	for i := range o.Claims {
		c := o.Claims[i]
		if c.Look.Path != path {
			rest = append(rest, c)
			continue
		}
		o.Home = &plan.Home{Look: c.Look, RootMount: c.RootMount, Dir: c.Look.Dir, Denied: c.Denied, Place: c.Place}
	}
	listed := func(path string) bool {
		return slices.ContainsFunc(rest, func(c plan.Claim) bool { return c.Look.Path == path })
	}
	if old != nil && old.Look.Path != path && old.Look.Class == agent.Present && old.Look.Manifest.ID == o.ID && !listed(old.Look.Path) {
		rest = append(rest, plan.Claim{Look: old.Look, Place: old.Place, Denied: old.Denied, Complete: true, RootMount: old.RootMount})
		slices.SortFunc(rest, func(a, b plan.Claim) int { return slices.Compare([]byte(a.Look.Path), []byte(b.Look.Path)) })
	}
	o.Claims = rest
}

// remember marks the claims that are recorded as duplicates.
func remember(o *plan.Observation) {
	cloned := false
	for i := range o.Claims {
		path := o.Claims[i].Look.Path
		refused := slices.ContainsFunc(o.Problems, func(p agent.Problem) bool {
			return p.Reason == agent.DuplicateID && p.Path == path
		})
		if refused == o.Claims[i].RefusedBefore {
			continue
		}
		if !cloned {
			o.Claims, cloned = slices.Clone(o.Claims), true
		}
		o.Claims[i].RefusedBefore = refused
	}
}

// applyRelay does what the actions say to addresses and rules. Rules that
// somebody still needs are not removed: that is looked at when it is done.
func applyRelay(r *plan.Relay, p *plan.Plan, row *agent.Record) {
	touched := slices.ContainsFunc(p.Actions, func(a plan.Action) bool {
		return a.Subject != "" || a.Namespace != ""
	})
	if !touched {
		return
	}
	r.Endpoints = slices.Clone(r.Endpoints)
	r.Rules = maps.Clone(r.Rules)
	if r.Rules == nil {
		r.Rules = map[string]agent.RuleSet{}
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		switch a.Type {
		case plan.EnsureRules:
			s := r.Rules[a.Namespace]
			s.Deny, s.Allow = true, true
			s.SystemOut, s.SystemIn = s.SystemOut || a.System, s.SystemIn || a.System
			r.Rules[a.Namespace] = s
		case plan.RemoveRules:
			s := agent.RuleSet{}
			if r.Shared[a.Namespace] || row != nil && row.Namespace() == a.Namespace {
				s.Deny, s.Allow = r.Rules[a.Namespace].Deny, r.Rules[a.Namespace].Allow
			}
			r.Rules[a.Namespace] = s
		case plan.EnsureEndpoint:
			ensureAddress(r, a.Subject)
		case plan.MoveMail:
			if a.From == "" {
				r.Kept = false
			} else {
				retireAddress(r, a.From)
			}
			ensureAddress(r, a.Subject)
		case plan.RemoveEndpoint:
			retireAddress(r, a.Subject)
			r.Kept = true
		case plan.InsertRow, plan.UpdateRow, plan.RelocateRow, plan.MarkUnreachable, plan.MarkActive, plan.RemoveRow:
		}
	}
}

func ensureAddress(r *plan.Relay, s agent.Subject) {
	retireAddress(r, s)
	r.Endpoints = append(r.Endpoints, agent.Endpoint{Subject: s, Whole: true})
}

func retireAddress(r *plan.Relay, s agent.Subject) {
	r.Endpoints = slices.DeleteFunc(r.Endpoints, func(e agent.Endpoint) bool { return e.Subject == s })
}
