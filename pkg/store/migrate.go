package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"regexp"

	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"

	"github.com/mesh-registry/mesh-controller/migrations"
)

// migrate brings the schema up to date. Every step is one transaction and may be
// killed: the next opening goes on from there. It may be called when there is
// nothing to do.
func (s *Store) migrate(ctx context.Context, c *conn, sc *schema) error {
	if len(sc.pending()) == 0 {
		return nil
	}
	if err := prepare(c, sc); err != nil {
		return fmt.Errorf("prepare the schema of %s: %w", s.path, s.explain(err))
	}
	if err := s.goose(ctx, sc); err != nil {
		return fmt.Errorf("upgrade the schema of %s: %w", s.path, s.explain(err))
	}
	return nil
}

// prepare makes goose's table (its own way of doing so would add a table
// sqlite_sequence to DorkOS's database) and takes a table `agents` that goose
// did not make to where the first three versions would have brought it.
func prepare(c *conn, sc *schema) error {
	return c.immediately(func() error {
		if !sc.tables[migrations.Table] {
			err := c.script(`CREATE TABLE IF NOT EXISTS ` + migrations.Table + ` (
  id INTEGER PRIMARY KEY,
  version_id INTEGER NOT NULL,
  is_applied INTEGER NOT NULL,
  tstamp TIMESTAMP DEFAULT (datetime('now'))
);
INSERT INTO ` + migrations.Table + ` (version_id, is_applied) VALUES (0, 1)`)
			if err != nil {
				return err
			}
		}
		if sc.kind == ours && sc.tables["agents"] && !sc.applied[migrations.Agents] {
			return adopt(c, sc)
		}
		return nil
	})
}

// adopt upgrades a table `agents` that another program made and left: columns
// are added, rows are kept.
func adopt(c *conn, sc *schema) error {
	var twice int64
	err := c.query(`SELECT count(*) - count(DISTINCT project_path) FROM agents`, func(r *row) { twice = r.int(0) })
	if err != nil {
		return err
	}
	if twice == 0 {
		err := c.script(`CREATE UNIQUE INDEX IF NOT EXISTS agents_project_path_unique ON agents (project_path)`)
		if err != nil {
			return err
		}
	}
	added, err := addedColumns()
	if err != nil {
		return err
	}
	for _, a := range added {
		if sc.has(a.column) {
			continue
		}
		if err := c.script(a.statement); err != nil {
			return err
		}
	}
	for v := int64(migrations.Agents); v <= migrations.AgentsFields; v++ {
		err := c.exec(`INSERT INTO `+migrations.Table+` (version_id, is_applied) VALUES (?, 1)`, v)
		if err != nil {
			return err
		}
	}
	return nil
}

type addedColumn struct{ column, statement string }

// addedColumns are the ADD COLUMN lines of the migrations, in order.
func addedColumns() ([]addedColumn, error) {
	line := regexp.MustCompile(`(?m)^ALTER TABLE agents ADD COLUMN (\w+) .*;$`)
	files, err := migrations.All()
	if err != nil {
		return nil, err
	}
	var added []addedColumn
	for _, f := range files {
		for _, m := range line.FindAllStringSubmatch(f.SQL, -1) {
			added = append(added, addedColumn{m[1], m[0]})
		}
	}
	return added, nil
}

// goose applies what is pending, on a connection of its own: it wants database/sql.
func (s *Store) goose(ctx context.Context, sc *schema) (err error) {
	db, err := driver.Open(uri(s.path, url.Values{
		"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": {"busy_timeout(5000)", "synchronous(normal)"},
	}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	p, err := gooseProvider(db, sc)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// apply runs the whole file, in the transaction that also records it.
func apply(f migrations.File) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, f.SQL); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		return nil
	}
}

func gooseProvider(db *sql.DB, sc *schema) (*goose.Provider, error) {
	files, err := migrations.All()
	if err != nil {
		return nil, err
	}
	var pending []*goose.Migration
	for _, f := range files {
		if !sc.exempt(f.Version) {
			pending = append(pending, goose.NewGoMigration(f.Version, &goose.GoFunc{RunTx: apply(f)}, nil))
		}
	}
	return goose.NewProvider(goose.DialectSQLite3, db, nil,
		goose.WithTableName(migrations.Table),
		goose.WithGoMigrations(pending...),
		// The deny list may come late, where DorkOS's is dropped.
		goose.WithAllowOutofOrder(true),
		goose.WithDisableGlobalRegistry(true),
	)
}
