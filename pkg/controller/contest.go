package controller

import (
	"maps"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// contestedAfter corrections of the same kind in a row, each undone by another
// writer, a value is left to it: beyond that the two would flip it at every
// sweep for ever.
const contestedAfter = 2

// contest counts how often the same correction of a row had to be made again
// because another writer had put the row back.
type contest struct {
	fields map[string]string // what was corrected, to what
	times  int
}

// corrected counts a correction that has landed. One that the index did not ask
// for (the file changed) begins anew.
func (l *ledger) corrected(p *plan.Plan) {
	fields := correction(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch c, known := l.contests[p.ID]; {
	case len(fields) == 0:
	case l.moved[p.ID] != sourceIndex:
		delete(l.contests, p.ID)
	case known && maps.Equal(c.fields, fields):
		l.contests[p.ID] = contest{fields, c.times + 1}
	default:
		l.contests[p.ID] = contest{fields, 1}
	}
}

// correction is what of a row a plan puts right.
func correction(p *plan.Plan) map[string]string {
	fields := map[string]string{}
	for i := range p.Actions {
		switch a := &p.Actions[i]; a.Type {
		case plan.UpdateRow, plan.MarkUnreachable, plan.MarkActive:
			for _, d := range a.Differences {
				fields[d.Field] = d.To.String()
			}
		case plan.InsertRow, plan.RelocateRow, plan.RemoveRow, plan.EnsureEndpoint, plan.RemoveEndpoint,
			plan.MoveMail, plan.EnsureRules, plan.RemoveRules:
		}
	}
	return fields
}

// contested are the values that are left to another writer.
func (l *ledger) contested(id agent.ID) map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.contests[id]; c.times >= contestedAfter {
		return c.fields
	}
	return nil
}
