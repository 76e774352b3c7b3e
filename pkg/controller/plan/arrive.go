package plan

import (
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// insert gives an id without a row its place: a newcomer, or one that returns
// and gets back what only the index knew.
func (pl *planner) insert(candidates []Claim) {
	winner := pl.choose(candidates)
	row := pl.newRow(&winner)
	pl.plan.Path = row.Path
	pl.plan.Reason, pl.plan.Message = pl.arrival(row.Path)
	pl.plan.add(Action{Type: InsertRow})
	pl.take(agent.InsertRow, row, &winner)
	pl.present(winner.Look.Mount, winner.RootMount)
	pl.refuse(pl.others(row.Path), row.Path, winner.Look.Dir)
	if pl.o.displaced() {
		pl.leave(&pl.o.Tombstone.Record, row)
	}
	pl.relay(row)
}

// relocate moves the row to where the agent went.
func (pl *planner) relocate(winner Claim) {
	o := pl.o
	row := pl.desired(winner.Look, winner.Place)
	differences := append([]agent.Difference{textDifference("projectPath", o.Row.Path, row.Path)},
		agent.Diff(&o.Row.Fields, &row.Fields, o.Written)...)
	if row.ScanRoot != o.Row.ScanRoot {
		differences = append(differences, textDifference("scanRoot", o.Row.ScanRoot, row.ScanRoot))
	}
	if o.Row.Status != agent.Active {
		differences = append(differences, textDifference("status", o.Row.Status, agent.Active))
	}
	pl.plan.Path = row.Path
	pl.plan.Reason = agent.Relocated
	pl.plan.Message = "moved from " + o.Row.Path
	pl.plan.add(Action{Type: RelocateRow, Differences: differences})
	pl.take(agent.RelocateRow, row, &winner)
	pl.leave(o.Row, row)
	pl.present(winner.Look.Mount, winner.RootMount)
	pl.relay(row)
}

// adopt makes the place that an operator named the home of the id, whether or
// not the old one still carries it; false where that was not asked for or the
// place does not carry the id.
func (pl *planner) adopt() bool {
	candidates, _ := pl.eligible()
	if !pl.adoptable(candidates) {
		return false
	}
	winner := pl.choose(candidates)
	home := Claim{Look: pl.o.Home.Look, Place: pl.o.Home.Place}
	pl.refuse(append(pl.others(winner.Look.Path), home), winner.Look.Path, winner.Look.Dir)
	pl.relocate(winner)
	return true
}

// adoptable reports whether an operator made one of the candidates the home.
func (pl *planner) adoptable(candidates []Claim) bool {
	for i := range candidates {
		if pl.adopted(&candidates[i]) {
			return true
		}
	}
	return false
}

// take is the change that gives a row the path, displacing whoever stands
// there.
func (pl *planner) take(op agent.RowOp, row *agent.Record, c *Claim) {
	pl.plan.Change.Op = op
	pl.plan.Change.Row = row
	if c.Incumbent == nil {
		return
	}
	evidence := c.Look.Judge(c.Incumbent.ID, c.Incumbent.Mount)
	pl.plan.Change.Displaces = c.Incumbent.ID
	pl.plan.Change.DisplacedState = &agent.State{
		ID:           c.Incumbent.ID,
		MissingSince: pl.o.Now.Wall,
		Clock:        pl.o.Now,
		Evidence:     evidence,
		Mount:        c.Incumbent.Mount,
	}
	pl.plan.Change.Durable = true
	pl.plan.Change.Events = append(pl.plan.Change.Events, agent.Event{
		At: pl.o.Now.Wall, ID: c.Incumbent.ID, Reason: agent.Displaced, Path: row.Path,
		Message: string(pl.o.ID) + " took its place",
	})
}

// newRow is the row of an id that has none.
func (pl *planner) newRow(c *Claim) *agent.Record {
	m := c.Look.Manifest
	row := &agent.Record{
		ID:           pl.o.ID,
		Path:         c.Look.Path,
		ScanRoot:     c.Place.ScanRoot,
		Status:       agent.Active,
		Fields:       agent.Desired(m, agent.Place{Namespace: c.Place.Namespace, Managed: c.Place.Managed}),
		RegisteredAt: agent.FormatTime(agent.ParseTime(m.RegisteredAt)),
		Approver:     agent.TextCell(m.RegisteredBy),
	}
	if row.RegisteredAt == "" { // a form without seconds: as it is written
		row.RegisteredAt = m.RegisteredAt
	}
	if t := pl.o.Tombstone; t != nil && t.Record.RegisteredAt != "" {
		row.RegisteredAt = t.Record.RegisteredAt
		row.Approver = t.Record.Approver
		row.LastSeenAt = t.Record.LastSeenAt
		row.LastSeenEvent = t.Record.LastSeenEvent
		row.Entrypoint = t.Record.Entrypoint
		row.Version = t.Record.Version
	}
	return row
}

// arrival says why an id without a row is inserted at path.
func (pl *planner) arrival(path string) (agent.Reason, string) {
	t := pl.o.Tombstone
	switch {
	case pl.o.Order.Reason == agent.Registered:
		return agent.Registered, "registered"
	case t == nil:
		return agent.Discovered, "first seen"
	case t.Reason == agent.Displaced && t.Record.Path != path:
		return agent.Relocated, "moved from " + t.Record.Path
	default:
		return agent.Resurrected, "the manifest is back"
	}
}
