// Package migrations holds the schema of the controller's own database, and of
// the tables it adds beside DorkOS's, as SQL that goose applies in order.
//
// Versions 1 to 3 make `agents` and are applied to a database of our own only;
// the others make tables prefixed mesh_controller_ and apply to both kinds. A
// migration never drops anything, and none names a table of DorkOS's.
package migrations

import (
	"embed"
	"fmt"
)

// Each is one step, NNNN_name.sql: plain statements, and of goose's words
// only "Up". Goose is handed their text: its own reading takes 4 MB a file.
//
//go:embed *.sql
var files embed.FS

// File is one migration.
type File struct {
	Version int64
	Name    string
	SQL     string
}

// All returns the migrations in order.
func All() ([]File, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	all := make([]File, len(entries))
	for i, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, err
		}
		all[i] = File{Name: e.Name(), SQL: string(text)}
		if _, err := fmt.Sscanf(e.Name(), "%d_", &all[i].Version); err != nil {
			return nil, fmt.Errorf("migration %s has no number: %w", e.Name(), err)
		}
	}
	return all, nil
}

// Table records which of them have been applied.
const Table = "mesh_controller_migrations"

// The versions. Each constant is the number in its file's name.
const (
	Agents       = 1 // the base table of agents
	AgentsSeed   = 2 // scan_root, behavior_json, budget_json
	AgentsFields = 3 // the rest of the columns
	Own          = 4 // what the controller itself remembers
	Denials      = 5 // the deny list, where DorkOS's is not there
	Held         = 6 // which orphans a mass disappearance has held

	Latest = Held
)
