package store

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Whatever comes, goes and moves in the table, by whomever: a listing is what a
// first one would be, and tells what others have changed.
func TestListingsFollowTheTable(t *testing.T) {
	s := openNew(t)
	list(t, s) // what comes first is compared with nothing
	p := rand.New(rand.NewPCG(1, 2))
	known := map[agent.ID]string{} // the name that the store should think a row has
	pick := func() agent.ID { return agent.ID(fmt.Sprintf("id%02d", p.IntN(40))) }
	for step := range 150 {
		for range p.IntN(5) {
			id := pick()
			row := view(t, s, string(id)).Row
			name, theirs := fmt.Sprint(step), fmt.Sprint("theirs of ", step)
			switch {
			case row == nil && p.IntN(2) == 0:
				ch := insert(string(id), "/r/"+string(id))
				ch.Row.Fields[agent.FieldName] = agent.TextCell(name)
				commit(t, s, ch)
				known[id] = name
			case row == nil: // before all others, or after them
				sqlite(t, s.path, fmt.Sprintf(`INSERT INTO agents (rowid, id, name, runtime, project_path, registered_at, updated_at)
					VALUES (%d, '%s', '%s', 'codex', '/r/%s', '', '')`, (1-2*p.IntN(2))*(1000*step+p.IntN(1000)+100), id, theirs, id))
			case p.IntN(3) == 0:
				commit(t, s, agent.Change{ID: id, At: at(0), Expected: row, Op: agent.RemoveRow})
				delete(known, id)
			case p.IntN(2) == 0:
				to := edited(row, func(r *agent.Record) { r.Fields[agent.FieldName] = agent.TextCell(name) })
				commit(t, s, agent.Change{ID: id, At: at(0), Expected: row, Op: agent.UpdateRow, Row: to})
				known[id] = name
			case p.IntN(2) == 0:
				sqlite(t, s.path, fmt.Sprintf(`DELETE FROM agents WHERE id = '%s'`, id))
			default:
				sqlite(t, s.path, fmt.Sprintf(`UPDATE agents SET name = '%s' WHERE id = '%s'`, theirs, id))
			}
		}
		was := s.memory.listing
		got, changed := list(t, s)
		want, _ := list(t, open(t, Options{Path: s.path, Now: time.Now}))
		if diff := cmp.Diff(want.Entries, got.Entries); diff != "" {
			t.Fatalf("step %d: %s", step, diff)
		}
		if cmp.Equal(was, got) != (was == got) {
			t.Errorf("step %d: a listing of the same, or the same for another", step)
		}
		now := names(t, s.path)
		var differ []agent.ID
		for id := range 40 {
			id := agent.ID(fmt.Sprintf("id%02d", id))
			if known[id] != now[id] {
				differ = append(differ, id)
			}
		}
		if !slices.Equal(differ, changed) {
			t.Fatalf("step %d: changed %v, want %v", step, changed, differ)
		}
		known = maps.Clone(now)
	}
}

func names(t testing.TB, path string) map[agent.ID]string {
	t.Helper()
	now := map[agent.ID]string{}
	ids, names := selectText(t, path, `SELECT id FROM agents ORDER BY id`), selectText(t, path, `SELECT name FROM agents ORDER BY id`)
	for i, id := range ids {
		now[agent.ID(id)] = names[i]
	}
	return now
}
