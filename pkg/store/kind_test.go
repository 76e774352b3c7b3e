package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// The oldest table of agents, as a program before this one made it.
const baseTable = "CREATE TABLE `agents` (`id` text PRIMARY KEY NOT NULL, `name` text NOT NULL, `runtime` text NOT NULL, " +
	"`project_path` text NOT NULL, `namespace` text DEFAULT 'default' NOT NULL, `capabilities_json` text DEFAULT '[]' NOT NULL, " +
	"`entrypoint` text, `version` text, `description` text, `approver` text, `status` text DEFAULT 'active' NOT NULL, " +
	"`last_seen_at` text, `last_seen_event` text, `registered_at` text NOT NULL, `updated_at` text NOT NULL);"

const baseRow = "INSERT INTO agents (id, name, runtime, project_path, entrypoint, registered_at, updated_at) " +
	"VALUES ('a', 'n', 'codex', '/r/a', 'e', 'r', 'u');"

const seedColumns = "ALTER TABLE agents ADD scan_root text DEFAULT '' NOT NULL;" +
	"ALTER TABLE agents ADD behavior_json text DEFAULT '{\"responseMode\":\"always\"}' NOT NULL;"

const ledger = `CREATE TABLE "__drizzle_migrations" (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric);`

func TestAdoptsAnOlderTable(t *testing.T) {
	for name, sql := range map[string]string{
		"base":         baseTable + baseRow,
		"unique":       baseTable + baseRow + "CREATE UNIQUE INDEX agents_project_path_unique ON agents (project_path);",
		"seed":         baseTable + baseRow + seedColumns,
		"half-way":     baseTable + baseRow + seedColumns + "ALTER TABLE agents ADD COLUMN color TEXT; ALTER TABLE agents ADD account text;",
		"other tables": baseTable + baseRow + "CREATE TABLE agent_denials (id text PRIMARY KEY, path text NOT NULL, reason text, denier text, created_at text NOT NULL); INSERT INTO agent_denials VALUES ('1', '/no', NULL, NULL, 'then');",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mesh.db")
			sqlite(t, path, sql)
			for range 2 { // the second opening finds nothing to do
				s := openNewAt(t, path)
				row := rowOf(t, s, "a")
				if row.RegisteredAt != "r" || row.UpdatedAt != "u" || row.Entrypoint != agent.TextCell("e") {
					t.Errorf("%+v", row)
				}
				if got := row.Fields[agent.FieldBudget].Text; got != `{"maxHopsPerMessage":5,"maxCallsPerHour":100}` {
					t.Error(got)
				}
				l, _ := list(t, s)
				if l.Written != 1<<agent.NumFields-1 {
					t.Errorf("written %b", l.Written)
				}
				if name == "other tables" && !cmp.Equal(l.Denied, []string{"/no"}) {
					t.Error(l.Denied)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			unique := selectText(t, path, `SELECT count(*) FROM pragma_index_list('agents') WHERE "unique" AND origin = 'c'`)
			if unique[0] != "1" {
				t.Error("project_path is not unique")
			}
		})
	}
}

func TestCreationGoesOnWhereItWasCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mesh.db")
	s := openNewAt(t, path)
	commit(t, s, insert("a", "/r/a"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole := schemaOf(t, path)
	// As a kill between two migrations leaves it.
	for _, undo := range []string{
		`DROP TABLE mesh_controller_denials; DELETE FROM mesh_controller_migrations WHERE version_id = 5`,
		`DROP TABLE mesh_controller_denials; DROP TABLE agents; DELETE FROM mesh_controller_migrations WHERE version_id IN (1, 2, 3, 5)`,
	} {
		sqlite(t, path, undo)
		if err := openNewAt(t, path).Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(whole, schemaOf(t, path)); diff != "" {
			t.Error(diff)
		}
	}
}

// schemaOf is everything in sqlite_schema, sorted.
func schemaOf(t testing.TB, path string) []string {
	t.Helper()
	return selectText(t, path, `SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1`)
}

// What cannot be used is refused with what to do, and no byte of it changes.
func TestRefusals(t *testing.T) {
	sql := func(sql string) func(*testing.T, string) {
		return func(t *testing.T, path string) { sqlite(t, path, sql) }
	}
	wal := "PRAGMA journal_mode = WAL;"
	for _, tt := range []struct {
		name, file string
		make       func(*testing.T, string)
		kind       error
		says       string
	}{
		{"not a database", "mesh.db", func(t *testing.T, p string) { write(t, p, strings.Repeat("hello ", 1000)) }, ErrCorrupt, "backup"},
		{"a few bytes", "mesh.db", func(t *testing.T, p string) { write(t, p, "SQLite format 3\x00") }, ErrCorrupt, "backup"},
		{"header", "mesh.db", func(t *testing.T, p string) {
			sqlite(t, p, wal+baseTable+baseRow)
			scribble(t, p, 0, 16)
		}, ErrCorrupt, "backup"},
		{"header fields", "mesh.db", func(t *testing.T, p string) {
			sqlite(t, p, wal+baseTable+baseRow)
			scribble(t, p, 16, 80)
		}, ErrCorrupt, "backup"},
		{"page", "mesh.db", func(t *testing.T, p string) {
			s := openNewAt(t, p)
			fill(t, s, 500)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			scribble(t, p, 4096*60, 4096*20)
		}, ErrCorrupt, "backup"},
		{"foreign", "mesh.db", sql(wal + "CREATE TABLE songs (title)"), ErrForeign, "--db"},
		{"foreign agents", "mesh.db", sql("CREATE TABLE agents (id, licence)"), ErrForeign, "no column name"},
		{"other owner", "mesh.db", sql(baseTable + "CREATE TABLE schema_migrations (version)"), ErrForeign, "schema_migrations"},
		{"too new", "mesh.db", sql(baseTable + "CREATE TABLE mesh_controller_migrations (id INTEGER PRIMARY KEY, version_id, is_applied); INSERT INTO mesh_controller_migrations VALUES (1, 99, 1)"), ErrTooNew, "update mesh-controller"},
		{"too old", "dork.db", sql(wal + ledger + baseTable), ErrTooOld, "start the current DorkOS"},
		{"half old", "any.db", sql(ledger + baseTable + "ALTER TABLE agents ADD scan_root text DEFAULT '' NOT NULL;"), ErrTooOld, "behavior_json"},
		{"no agents", "dork.db", sql(ledger), ErrTooOld, "start the current DorkOS"},
		{"dork.db without ledger", "dork.db", sql(baseTable), ErrForeign, "start DorkOS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.file)
			tt.make(t, path)
			before := tree(t, filepath.Dir(path))
			for _, readOnly := range []bool{true, false} {
				s, err := Open(t.Context(), Options{Path: path, QuickCheck: true, ReadOnly: readOnly, Now: time.Now})
				if err == nil {
					s.Close()
					t.Fatal("it was opened")
				}
				_, unusable := errors.AsType[*UnusableError](err)
				if !errors.Is(err, tt.kind) || !unusable {
					t.Fatalf("%v, want %v", err, tt.kind)
				}
				if !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
					t.Errorf("%q does not say %q", err, tt.says)
				}
			}
			if diff := cmp.Diff(before, tree(t, filepath.Dir(path))); diff != "" {
				t.Error("touched:", diff)
			}
		})
	}
}

func TestDorkDBIsNeverMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dork.db")
	if _, err := Open(t.Context(), Options{Path: path, Now: time.Now}); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	write(t, path, "")
	if _, err := Open(t.Context(), Options{Path: path, Now: time.Now}); !errors.Is(err, ErrForeign) {
		t.Error(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Size() > 0 {
		t.Error("something was written to an empty dork.db", err)
	}
}

func TestDefaultPath(t *testing.T) {
	home := t.TempDir()
	mesh, dork := filepath.Join(home, "mesh.db"), filepath.Join(home, "dork.db")
	expect := func(want string) {
		t.Helper()
		if got := DefaultPath(home); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	expect(mesh)
	write(t, dork, "")
	expect(mesh)
	sqlite(t, dork, "CREATE TABLE songs (title)")
	expect(mesh)
	sqlite(t, dork, ledger)
	expect(dork) // too old: said, not passed over
	sqlite(t, dork, baseTable+seedColumns)
	expect(dork)
	scribble(t, dork, 0, 100)
	expect(dork) // corrupt: said, not passed over
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func scribble(t testing.TB, path string, at int64, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, n), at); err != nil {
		t.Fatal(err)
	}
}

// tree is every file of a folder with its content and time.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fi, err := d.Info()
		files[p] = fi.ModTime().String() + fi.Mode().String() + string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
