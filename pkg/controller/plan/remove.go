package plan

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// expire removes an orphan whose grace is over.
func (pl *planner) expire() {
	message := "gone since " + agent.FormatTime(pl.state.MissingSince)
	if pl.o.path() != "" {
		pl.plan.Confirm = true
		message += ": " + pl.absence()
	}
	pl.plan.Change.Op = agent.KeepRow
	pl.plan.Change.Unbury = false // the record is the tombstone now
	pl.plan.Actions = nil
	pl.remove(agent.Removed, message)
	pl.plan.Message = message
}

// remove takes an id out of relay and index: a durable record first, then the
// endpoints, then the row; the rules of its namespace go when nobody needs them.
func (pl *planner) remove(reason agent.Reason, message string) {
	o := pl.o
	pl.plan.Reason = reason
	pl.plan.Record = &agent.Tombstone{
		ID:       o.ID,
		Reason:   reason,
		At:       o.Now.Wall,
		Record:   pl.buried(),
		Evidence: pl.audit(),
	}
	pl.retireAll()
	switch {
	case o.Row != nil:
		pl.plan.add(Action{Type: RemoveRow})
		pl.plan.Change.Op = agent.RemoveRow
		pl.leaveNamespace(o.Row.Namespace())
	case o.displaced():
		// Its address may be gone already, where it was displaced in the pass that
		// was removing it.
		pl.leaveNamespace(o.Tombstone.Record.Namespace())
	}
	pl.dropRules(nil)
	pl.plan.Change.Durable = true
	pl.state = pl.pausedOnly()
	pl.problems = nil
	if pl.interrupted(reason) {
		pl.told = true
		return
	}
	pl.plan.Deed = &agent.Event{At: o.Now.Wall, ID: o.ID, Reason: reason, Path: pl.plan.Path, Message: message}
}

// leftover deals with endpoints of an id that has neither row nor manifest.
// Where a tombstone says that the id was removed, the removal is finished, but
// not on the word of an index that was restored; any other is an orphan with a
// clock like everybody's, which runs only while no manifest carries the id: one
// that is refused ends it, one that cannot be read leaves it as it is.
func (pl *planner) leftover() {
	t := pl.o.Tombstone
	if t != nil && !pl.o.IndexLost && pl.overruled(t) {
		pl.plan.Reason = t.Reason
		pl.plan.Message = "its address was left behind"
		pl.retireAll()
		pl.dropRules(nil)
		pl.state = pl.pausedOnly()
		return
	}
	if pl.o.Home == nil && !pl.o.Complete && !pl.o.missing() {
		pl.unseen()
		return
	}
	place := pl.o.Relay.Endpoints[0].Place()
	pl.plan.Path = place
	pl.plan.Reason = agent.EndpointLeaked
	e := agent.DirMissing
	if pl.o.Home != nil {
		e = pl.evidence()
	}
	pl.plan.Message = "an address without agent: neither row nor manifest is left of it"
	if pl.claimed() || !e.Absent() {
		pl.plan.Message = "an address without row; it stays as long as a manifest carries its id, or may do so"
	}
	pl.problem(agent.EndpointLeaked, place, pl.plan.Message)
	switch {
	case pl.carried():
		pl.state = pl.pausedOnly()
		return
	case !e.Absent() || pl.claimed():
		pl.plan.Retry = e == agent.Unknown
		return
	}
	pl.clock(e)
	pl.state.Lost = pl.state.Lost || pl.o.IndexLost
	if pl.due(e) {
		pl.expire()
	}
}

// unseen: nothing says where the manifest of an address without a row may be, and
// the listing could not see everything. No clock begins on that.
func (pl *planner) unseen() {
	pl.plan.Reason = agent.IncompleteListing
	pl.plan.Message = "an address without a row, and part of the disk could not be listed"
	pl.plan.NeedSweep = true
	pl.plan.Hold = &Hold{Reason: agent.IncompleteListing, Since: pl.o.Now.Wall}
	pl.problems = slices.Clone(pl.o.Problems)
}

// overruled reports whether no clock is to be waited for. An order to unregister
// ends that of a displaced id, but none that ran while the index was lost; that it
// is at home in a denied place ends any, which would not end by itself. Only the
// deny list removes what is left while a manifest carries the id, or its home cannot
// be told: it may have returned since it was removed.
func (pl *planner) overruled(t *agent.Tombstone) bool {
	if pl.o.missing() {
		return t.Reason == agent.Unregistered && !pl.o.State.Lost || pl.deniedAtHome() && !pl.claimed()
	}
	home := pl.o.Home
	return t.Reason == agent.Denied || !pl.claimed() && (home == nil || home.Denied || pl.evidence().Absent())
}

// retireAll takes every address of the id away; mail is kept aside.
func (pl *planner) retireAll() {
	if !pl.o.Relay.Enabled {
		return
	}
	for _, e := range pl.o.Relay.Endpoints {
		pl.plan.add(Action{Type: RemoveEndpoint, Subject: e.Subject})
		if ns, _, ok := agent.ParseSubject(string(e.Subject)); ok {
			pl.leaveNamespace(ns)
		}
	}
}

// leaveNamespace records a namespace once.
func (pl *planner) leaveNamespace(ns string) {
	if !slices.Contains(pl.plan.Change.Left, ns) {
		pl.plan.Change.Left = append(pl.plan.Change.Left, ns)
	}
}

// dropRules announces that rules of the namespaces that are left will go; only
// the system rules of the one in which the row stays. That nobody needs them is
// looked at afresh when it is done.
func (pl *planner) dropRules(stays *agent.Record) {
	if !pl.o.Relay.Enabled || pl.o.Relay.Degraded != "" {
		return
	}
	for _, ns := range pl.plan.Change.Left {
		rules := pl.o.Relay.Rules[ns]
		system := stays != nil && stays.Namespace() == ns
		if system {
			rules.Deny, rules.Allow = false, false
		}
		if !pl.o.Relay.Shared[ns] && rules.Any() {
			pl.plan.add(Action{Type: RemoveRules, Namespace: ns, System: system})
		}
	}
}

// buried is the record that the tombstone keeps.
func (pl *planner) buried() agent.Record {
	switch {
	case pl.o.Row != nil:
		return *pl.o.Row
	case pl.o.Tombstone != nil:
		return pl.o.Tombstone.Record
	}
	r := agent.Record{ID: pl.o.ID}
	if len(pl.o.Relay.Endpoints) > 0 {
		ns, _, _ := agent.ParseSubject(string(pl.o.Relay.Endpoints[0].Subject))
		r.Fields[agent.FieldNamespace] = agent.TextCell(ns)
	}
	return r
}

// audit is the evidence of a removal, so that it can be judged later.
func (pl *planner) audit() string {
	var b []byte
	add := func(key, value string) {
		if value == "" {
			return
		}
		b = append(b, "{,"[min(len(b), 1)])
		b, _ = jsontext.AppendQuote(b, key)
		b = append(b, ':')
		b, _ = jsontext.AppendQuote(b, value)
	}
	add("now", agent.FormatTime(pl.o.Now.Wall))
	add("evidence", pl.plan.Absent.String())
	if h := pl.o.Home; h != nil {
		add("look", h.Look.Err)
		add("mount", h.Look.Mount.Point)
	}
	if pl.o.State != nil {
		add("missingSince", agent.FormatTime(pl.o.State.MissingSince))
		add("clockSince", agent.FormatTime(pl.o.State.Clock.Wall))
	}
	return string(append(b, '}'))
}

// pausedOnly is what remains of the state when the id is gone.
func (pl *planner) pausedOnly() *agent.State {
	if pl.state == nil || !pl.state.Paused {
		return nil
	}
	return &agent.State{ID: pl.o.ID, Paused: true}
}
