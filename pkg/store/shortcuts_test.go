package store

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

const uniquePath = "CREATE UNIQUE INDEX agents_project_path_unique ON agents (project_path);"

// odd are schemas in which what is stored is not what was said, or a path is
// unique by nobody's care.
var odd = map[string]string{
	"ordinary":      "",
	"trigger":       `CREATE TRIGGER t AFTER INSERT ON Agents BEGIN UPDATE agents SET description = 'other' WHERE id = new.id; END`,
	"number":        `ALTER TABLE agents ADD persona NUMERIC`,
	"text":          `ALTER TABLE agents ADD is_system VARCHAR(5)`,
	"real":          `ALTER TABLE agents ADD is_system REAL`,
	"any":           `ALTER TABLE agents ADD persona; ALTER TABLE agents ADD is_system BLOB`,
	"default":       `ALTER TABLE agents ADD traits_json text DEFAULT 'x'`,
	"no default":    `ALTER TABLE agents ADD traits_json text`,
	"not unique":    `DROP INDEX agents_project_path_unique`,
	"partly unique": `DROP INDEX agents_project_path_unique; CREATE UNIQUE INDEX i ON agents (project_path) WHERE status = 'gone'`,
	"two together":  `DROP INDEX agents_project_path_unique; CREATE UNIQUE INDEX i ON agents (project_path, id)`,
}

// What the store learns of its own writes is what is there, and an insert over
// somebody is a conflict, whatever the schema, also when it has just come about.
func TestShortcutsInOddSchemas(t *testing.T) {
	for name, sql := range odd {
		for _, late := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "dork.db")
			sqlite(t, path, "PRAGMA journal_mode = WAL;"+ledger+baseTable+uniquePath+seedColumns)
			if !late {
				sqlite(t, path, sql)
			}
			x := newIndex(t, path)
			commit(t, x.s, insert("first", "/r/first"))
			list(t, x.s)
			if late {
				sqlite(t, path, sql)
			}
			a := insert("a", "/r/a")
			a.Row.Fields[agent.FieldPersona] = agent.TextCell("1")
			commit(t, x.s, a)
			row := rowOf(t, x.s, "a")
			to := edited(row, func(r *agent.Record) {
				r.Fields[agent.FieldPersona] = agent.TextCell("2")
				r.Fields[agent.FieldIsSystem] = agent.BoolCell(true)
			})
			commit(t, x.s, agent.Change{ID: "a", At: at(0), Expected: row, Op: agent.UpdateRow, Row: to})
			conflict(t, x.s, insert("b", "/r/a"))
			conflict(t, x.s, insert("a", "/r/b"))
			added := late && strings.Contains(sql, " ADD ") // to every row
			if _, changed := list(t, x.s); len(changed) > 0 && !added {
				t.Errorf("%s, late %v: %v changed", name, late, changed)
			}
			if got := selectText(t, path, `SELECT id FROM agents ORDER BY id`); len(got) != 2 {
				t.Errorf("%s, late %v: %v", name, late, got)
			}
		}
	}
}

// A conflict leaves no trace, also where it was found by trying.
func TestConflictLeavesNoTrace(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	commit(t, x.s, insert("a", "/r/a"))
	stamp := selectText(t, x.path, `SELECT value FROM mesh_controller_meta WHERE key = 'stamp'`)
	conflict(t, x.s, insert("b", "/r/a"))
	if now := selectText(t, x.path, `SELECT value FROM mesh_controller_meta WHERE key = 'stamp'`); now[0] != stamp[0] {
		t.Error("the stamp was renewed")
	}
}
