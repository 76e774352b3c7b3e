package plan

import (
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// relay makes a row have its one address, under its namespace's rules. Every
// row has one, also that of an orphan in its grace: mail can still reach it.
func (pl *planner) relay(row *agent.Record) {
	r := &pl.o.Relay
	want := row.Subject()
	if _, _, ok := agent.ParseSubject(string(want)); !ok || !r.Enabled {
		return
	}
	if r.Down != "" {
		pl.reason(agent.RelayDegraded, r.Down)
		pl.plan.Retry = true
		return
	}
	there, others := pl.addresses(want)
	if r.Degraded != "" {
		if !there || len(others) > 0 {
			pl.reason(agent.RelayDegraded, r.Degraded)
			pl.plan.Retry = true
		}
		return
	}
	rules := r.Rules[row.Namespace()].Covers(row.System())
	if !rules {
		pl.plan.add(Action{Type: EnsureRules, Namespace: row.Namespace(), System: row.System()})
	}
	if !there && len(others) == 0 {
		pl.plan.add(Action{Type: EnsureEndpoint, Subject: want})
	}
	for _, from := range others {
		pl.plan.add(Action{Type: MoveMail, Subject: want, From: from})
		if ns, _, ok := agent.ParseSubject(string(from)); ok && ns != row.Namespace() {
			pl.leaveNamespace(ns)
		}
	}
	if r.Kept {
		pl.plan.add(Action{Type: MoveMail, Subject: want})
	}
	switch {
	case !there:
		pl.reason(agent.EndpointMissing, "its address "+string(want)+" was not there")
	case len(others) > 0 || r.Kept:
		pl.reason(agent.EndpointLeaked, "mail under another address was brought to "+string(want))
	case !rules:
		pl.reason(agent.RulesDrifted, "rules of namespace "+row.Namespace()+" were missing")
	}
	pl.dropRules(row)
}

// addresses tells whether the wanted address is there, whole, and which other
// ones the id has.
func (pl *planner) addresses(want agent.Subject) (there bool, others []agent.Subject) {
	for _, e := range pl.o.Relay.Endpoints {
		if e.Subject == want {
			there = e.Whole
		} else {
			others = append(others, e.Subject)
		}
	}
	return there, others
}

// reason names the plan unless something weightier already does.
func (pl *planner) reason(r agent.Reason, message string) {
	if pl.plan.Reason == agent.InSync {
		pl.plan.Reason, pl.plan.Message = r, message
	}
}
