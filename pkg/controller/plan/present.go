package plan

import (
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// sync makes the row and the relay say what the manifest at home says.
func (pl *planner) sync() {
	o := pl.o
	row := pl.desired(o.Home.Look, o.Home.Place)
	differences := agent.Diff(&o.Row.Fields, &row.Fields, o.Written)
	if row.ScanRoot != o.Row.ScanRoot {
		differences = append(differences, textDifference("scanRoot", o.Row.ScanRoot, row.ScanRoot))
	}
	pl.present(o.Home.Look.Mount, o.Home.RootMount)
	differences = pl.concede(row, differences)
	switch {
	case o.Row.Status == agent.Unreachable && row.Status == agent.Active || o.missing():
		pl.plan.Reason = agent.Resurrected
		pl.plan.Message = "the manifest is back"
	case row.Namespace() != o.Row.Namespace():
		pl.plan.Reason = agent.NamespaceChanged
		pl.plan.Message = o.Row.Namespace() + " became " + row.Namespace()
	case len(differences) > 0 || o.Row.Status != row.Status:
		pl.plan.Reason = agent.Drifted
		if pl.o.Order.Reason != "" {
			pl.plan.Reason = agent.Updated
		}
	}
	// A row that is there proves that whatever was recorded of its end is void.
	pl.plan.Change.Unbury = o.Tombstone != nil
	if len(differences) > 0 {
		pl.plan.Message = joined(pl.plan.Message, fieldNames(differences))
		pl.plan.add(Action{Type: UpdateRow, Differences: differences})
	}
	if o.Row.Status != row.Status {
		if pl.plan.Message == "" {
			pl.plan.Message = "the status was " + o.Row.Status
		}
		pl.plan.add(Action{Type: MarkActive, Differences: []agent.Difference{textDifference("status", o.Row.Status, agent.Active)}})
	}
	if len(pl.plan.Actions) > 0 {
		pl.plan.Change.Op = agent.UpdateRow
		pl.plan.Change.Row = row
		pl.leave(o.Row, row)
	}
	pl.relay(row)
	pl.conceded()
	pl.copies()
}

// desired is the row that a manifest asks for at a place. What only the index
// knows is kept.
func (pl *planner) desired(l agent.Look, place Placement) *agent.Record {
	row := *pl.o.Row
	fields := agent.Desired(l.Manifest, agent.Place{Namespace: place.Namespace, Managed: place.Managed})
	for i := range fields {
		if pl.o.Written.Has(i) {
			row.Fields[i] = fields[i]
		}
	}
	row.Status = agent.Active
	if l.Path != row.Path || row.ScanRoot != "" && !agent.Within(l.Path, row.ScanRoot) {
		row.ScanRoot = place.ScanRoot
	}
	row.Path = l.Path
	return &row
}

// present ends an absence and remembers the mount where it differs from the
// root's.
func (pl *planner) present(now, root agent.Mount) {
	s := agent.State{ID: pl.o.ID}
	if pl.state != nil {
		s.Paused = pl.state.Paused
	}
	if now != root {
		s.Mount = now
	}
	pl.state = &s
}

// leave records the namespace that a row leaves, or in which it stops being a
// system agent, so that its rules can go when nobody needs them.
func (pl *planner) leave(before, after *agent.Record) {
	if before.Namespace() != after.Namespace() || before.System() && !after.System() {
		pl.plan.Change.Left = append(pl.plan.Change.Left, before.Namespace())
	}
}

// copies names the other places that carry the id of an agent at home.
func (pl *planner) copies() {
	n := 0
	first := ""
	for _, p := range pl.problems {
		if p.Reason == agent.DuplicateID {
			if n++; n == 1 {
				first = p.Path
			}
		}
	}
	if n == 0 || pl.plan.Reason != agent.InSync {
		return
	}
	pl.plan.Reason = agent.DuplicateID
	pl.plan.Message = "its id is carried by " + countOf(n, "another place", "other places") + " too, first " + first
}

// fieldNames lists what differs, for people.
func fieldNames(differences []agent.Difference) string {
	names := make([]string, len(differences))
	for i, d := range differences {
		names[i] = d.Field
	}
	return strings.Join(names, ", ")
}

func joined(message, more string) string {
	if message == "" {
		return more
	}
	return message + "; " + more
}

func textDifference(field, from, to string) agent.Difference {
	return agent.Difference{Field: field, From: agent.TextCell(from), To: agent.TextCell(to)}
}
