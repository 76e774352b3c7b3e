package store

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// foreign is what of a database is not ours: its schema, and every row of
// agents and the deny list.
func foreign(t testing.TB, path string) []string {
	t.Helper()
	out := foreignSchema(t, path)
	columns := selectText(t, path, `SELECT group_concat('quote("' || name || '")', ' || ' || ''','' || ') FROM pragma_table_info('agents')`)[0]
	columns = strings.ReplaceAll(columns, "|| , ||", "|| ',' ||")
	out = append(out, selectText(t, path, `SELECT `+columns+` FROM agents ORDER BY id`)...)
	out = append(out, selectText(t, path, `SELECT count(*) FROM __drizzle_migrations`)...)
	out = append(out, selectText(t, path, `PRAGMA user_version`)...)
	return append(out, selectText(t, path, `SELECT id || path || created_at FROM agent_denials ORDER BY id`)...)
}

func foreignSchema(t testing.TB, path string) []string {
	t.Helper()
	return slices.DeleteFunc(schemaOf(t, path), func(line string) bool { return strings.Contains(line, ownPrefix) })
}

// A home of DorkOS that is opened, listed and kept as it is keeps its schema and
// every byte of its rows; only tables of our prefix are new.
func TestSampleHomes(t *testing.T) {
	for name, missing := range map[string][]string{
		"dorkos-2026-02": {"displayName", "persona", "personaEnabled", "color", "icon", "traits", "conventions", "isSystem", "model", "effort", "account"},
		"dorkos-2026-08": {"budget", "traits", "conventions"},
		"clean-2026-08":  {"budget", "traits", "conventions"},
	} {
		t.Run(name, func(t *testing.T) {
			home := filepath.Join(sample(t, name), "home")
			path := DefaultPath(home)
			if filepath.Base(path) != dorkName {
				t.Fatal(path)
			}
			before := foreign(t, path)
			x := newIndex(t, path)
			l, changed := list(t, x.s)
			if l.Lost || len(l.Entries) < 14 || len(changed) != len(l.Entries) || len(l.Denied) == 0 && name != "clean-2026-08" {
				t.Errorf("%d entries, %d changed, lost %v, denied %v", len(l.Entries), len(changed), l.Lost, l.Denied)
			}
			var unwritten []string
			for i := range agent.FieldTable {
				if !l.Written.Has(i) {
					unwritten = append(unwritten, agent.FieldTable[i].Name)
				}
			}
			if diff := cmp.Diff(missing, unwritten); diff != "" {
				t.Error(diff)
			}
			for _, e := range l.Entries {
				row := rowOf(t, x.s, string(e.ID))
				commit(t, x.s, agent.Change{
					ID: e.ID, At: at(0), Expected: row, Op: agent.UpdateRow, Row: row,
					SetState: true, State: &agent.State{Mount: agent.Mount{Point: "/m"}},
				})
			}
			if err := x.s.QuickCheck(t.Context()); err != nil {
				t.Error(err)
			}
			x.stop()
			x.start()
			if diff := cmp.Diff(before, foreign(t, path)); diff != "" {
				t.Error(diff)
			}
			if _, changed := list(t, x.s); len(changed) != len(l.Entries) {
				t.Error(changed)
			}
			if err := x.s.Rest(); err != nil {
				t.Fatal(err)
			}
			noSides(t, path)
			operateOnSample(t, x)
		})
	}
}

// operateOnSample runs each operation on DorkOS's database: the columns that are
// there are written, and nothing else changes.
func operateOnSample(t *testing.T, x *index) {
	schema := foreignSchema(t, x.path)
	ch := insert("new", "/r/new")
	traits := agent.Traits{Humor: 3}
	ch.Row.Fields = agent.Desired(&agent.Manifest{ID: "new", Name: "n", Runtime: "codex", Traits: &traits}, agent.Place{Namespace: "ns"})
	commit(t, x.s, ch)
	row := rowOf(t, x.s, "new")
	if row.Name() != "n" || row.Fields[agent.FieldTraits].Kind != agent.Null {
		t.Errorf("%+v", row)
	}
	l, _ := list(t, x.s)
	take := insert("other", l.Entries[0].Path)
	take.Displaces = l.Entries[0].ID
	commit(t, x.s, take)
	stone := view(t, x.s, string(take.Displaces)).Tombstone.Record
	commit(t, x.s, agent.Change{
		ID: stone.ID, At: at(0), Op: agent.InsertRow,
		Row: edited(&stone, func(r *agent.Record) { r.Path = "/r/back" }),
	})
	back := rowOf(t, x.s, string(stone.ID))
	stone.Path, stone.UpdatedAt = back.Path, back.UpdatedAt
	if diff := cmp.Diff(&stone, back); diff != "" {
		t.Error(diff)
	}
	if err := x.s.Deny(t.Context(), "/r/denied", "no", t0); err != nil {
		t.Fatal(err)
	}
	if got := selectText(t, x.path, `SELECT path FROM agent_denials WHERE denier = 'mesh-controller'`); !cmp.Equal(got, []string{"/r/denied"}) {
		t.Error(got)
	}
	if diff := cmp.Diff(schema, foreignSchema(t, x.path)); diff != "" {
		t.Error(diff)
	}
	if err := x.s.QuickCheck(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOwnDenyList(t *testing.T) {
	s := openNew(t)
	for range 2 {
		if err := s.Deny(t.Context(), "/r/b", "", t0); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Deny(t.Context(), "/r/a", "why", t0); err != nil {
		t.Fatal(err)
	}
	if l, _ := list(t, s); !cmp.Equal(l.Denied, []string{"/r/a", "/r/b"}) {
		t.Error(l.Denied)
	}
	for _, want := range []bool{true, false} {
		if found, err := s.Undeny(t.Context(), "/r/b"); found != want || err != nil {
			t.Error(found, err)
		}
	}
}

// Columns that are ours alone are not written in DorkOS's database, and one that
// takes no NULL keeps its default.
func TestColumnsThatAreNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dork.db")
	sqlite(t, path, ledger+baseTable+seedColumns+"ALTER TABLE agents ADD traits_json text; ALTER TABLE agents ADD color text DEFAULT 'red' NOT NULL;")
	x := newIndex(t, path)
	l, _ := list(t, x.s)
	if l.Written.Has(agent.FieldTraits) || !l.Written.Has(agent.FieldColor) {
		t.Errorf("%b", l.Written)
	}
	ch := insert("a", "/r/a")
	ch.Row.Fields[agent.FieldTraits] = agent.TextCell("{}")
	commit(t, x.s, ch)
	row := rowOf(t, x.s, "a")
	if row.Fields[agent.FieldTraits].Kind != agent.Null || row.Fields[agent.FieldColor] != agent.TextCell("red") {
		t.Errorf("%+v", row.Fields)
	}
	to := edited(row, func(r *agent.Record) {
		r.Status, r.Fields[agent.FieldTraits], r.Fields[agent.FieldColor] = agent.Unreachable, agent.TextCell("{}"), agent.Cell{}
	})
	commit(t, x.s, agent.Change{ID: "a", At: at(0), Expected: row, Op: agent.UpdateRow, Row: to})
	got := rowOf(t, x.s, "a")
	if got.Status != agent.Unreachable || got.Fields != row.Fields {
		t.Errorf("%+v", got)
	}
}

// DorkOS upgrades its database while ours is open.
func TestColumnsComeAndGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dork.db")
	sqlite(t, path, "PRAGMA journal_mode = WAL;"+ledger+baseTable+seedColumns+"ALTER TABLE agents ADD budget_json text DEFAULT 'b' NOT NULL;")
	x := newIndex(t, path)
	commit(t, x.s, insert("a", "/r/a"))
	before, _ := list(t, x.s)
	sqlite(t, path, "ALTER TABLE agents DROP COLUMN budget_json; ALTER TABLE agents ADD color text DEFAULT 'red'")
	var after *agent.IndexListing
	for range 2 { // the first may fail on the old columns, and opens anew
		if l, _, err := x.s.List(t.Context()); err == nil {
			after = l
		}
	}
	if after == nil || after.Written == before.Written || after.Written.Has(agent.FieldBudget) || !after.Written.Has(agent.FieldColor) {
		t.Fatalf("%b, %+v", before.Written, after)
	}
	row := rowOf(t, x.s, "a")
	commit(t, x.s, agent.Change{ID: "a", At: at(0), Expected: row, Op: agent.UpdateRow, Row: record("a", "/r/a")})
	if got := rowOf(t, x.s, "a").Fields[agent.FieldColor]; got.Kind != agent.Null {
		t.Error(got)
	}
}
