package controller

import (
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// contestedAfter corrections of a field in a row, each undone by another writer,
// its value is left to that one: beyond that the two would flip it at every
// sweep for ever.
const contestedAfter = 2

// contestWindow is in how many intervals a correction has to follow the one
// before to count as its repetition; without an interval a day.
const contestWindow = 3

// contest counts how often the same correction of a field had to be made again
// because another writer had put the row back.
type contest struct {
	to    string
	times int
	last  time.Time
}

// corrected counts the corrections of a plan that has landed. One that the index
// did not ask for (the file changed) begins anew, and so does one that comes
// long after the last.
func (c *Controller) corrected(p *plan.Plan) {
	window := contestWindow * c.options.Load().ResyncInterval
	if window == 0 {
		window = 24 * time.Hour
	}
	now := c.ports.Clock.Now()
	l := c.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dirty[p.ID].moved != sourceIndex {
		if corrects(p) {
			delete(l.contests, p.ID)
		}
		return
	}
	for field, to := range correction(p) {
		if l.contests[p.ID] == nil {
			l.contests[p.ID] = map[string]contest{}
		}
		k := l.contests[p.ID][field]
		if k.to != to || now.Sub(k.last) > window {
			k = contest{to: to}
		}
		k.times++
		k.last = now
		l.contests[p.ID][field] = k
	}
}

// correction is what of a row a plan puts right.
func correction(p *plan.Plan) map[string]string {
	fields := map[string]string{}
	for i := range p.Actions {
		if a := &p.Actions[i]; inPlace(a) {
			for _, d := range a.Differences {
				fields[d.Field] = d.To.String()
			}
		}
	}
	return fields
}

// corrects reports whether there is any.
func corrects(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Actions, func(a plan.Action) bool { return inPlace(&a) && len(a.Differences) > 0 })
}

// inPlace reports whether an action changes a row that stays where it is.
func inPlace(a *plan.Action) bool {
	switch a.Type {
	case plan.UpdateRow, plan.MarkUnreachable, plan.MarkActive:
		return true
	case plan.InsertRow, plan.RelocateRow, plan.RemoveRow, plan.EnsureEndpoint, plan.RemoveEndpoint,
		plan.MoveMail, plan.EnsureRules, plan.RemoveRules:
	}
	return false
}

// contested are the values that are left to another writer.
func (l *ledger) contested(id agent.ID) map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var fields map[string]string
	for field, k := range l.contests[id] {
		if k.times < contestedAfter {
			continue
		}
		if fields == nil {
			fields = map[string]string{}
		}
		fields[field] = k.to
	}
	return fields
}
