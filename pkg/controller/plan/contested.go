package plan

import (
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// concede leaves what another writer insists on as it is, in the row to be and
// in what is to be written, and lists it as a problem. It ends when the value
// that is wanted changes, or the other writer gives in.
func (pl *planner) concede(row *agent.Record, differences []agent.Difference) []agent.Difference {
	if len(pl.o.Contested) == 0 {
		return differences
	}
	var fields []string
	differences = slices.DeleteFunc(differences, func(d agent.Difference) bool {
		to, contested := pl.o.Contested[d.Field]
		if contested = contested && to == d.To.String(); contested {
			fields = append(fields, d.Field)
		}
		return contested
	})
	for i := range agent.FieldTable {
		if slices.Contains(fields, agent.FieldTable[i].Name) {
			row.Fields[i] = pl.o.Row.Fields[i]
		}
	}
	if slices.Contains(fields, "scanRoot") {
		row.ScanRoot = pl.o.Row.ScanRoot
	}
	if to, contested := pl.o.Contested["status"]; contested && to == row.Status && row.Status != pl.o.Row.Status {
		row.Status = pl.o.Row.Status
		fields = append(fields, "status")
	}
	if len(fields) > 0 {
		pl.problem(agent.Contested, pl.o.Row.Path,
			"another writer keeps setting "+strings.Join(fields, ", ")+" back; it is left alone until the manifest changes")
	}
	return differences
}

// conceded names an agent of which another writer keeps something, unless
// something weightier does.
func (pl *planner) conceded() {
	for _, p := range pl.problems {
		if p.Reason == agent.Contested {
			pl.reason(p.Reason, p.Message)
		}
	}
}
