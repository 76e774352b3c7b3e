package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Where DorkOS comes to a home that had a mesh.db, its dork.db is the index from
// the next start on, and what the controller remembered in mesh.db is copied
// over, once. mesh.db itself stays as it is.

const (
	meshName  = "mesh.db"
	metaTaken = "taken_over"
)

// takenTables are copied; meta is not, since it tells of one file only.
var takenTables = []string{"agents", "roots", "left", "events", "tombstones", "problems"}

// remembered is a table's content, in the columns that it has.
type remembered struct {
	table, columns string
	rows           [][]any
}

// takeOver copies own records from the mesh.db beside a dork.db that has never
// been written by a controller. Where that cannot be read there is nothing to
// take: absences get their clocks anew.
func (s *Store) takeOver(ctx context.Context, c *conn) error {
	mesh := filepath.Join(filepath.Dir(s.path), meshName)
	if s.lock == nil || c.schema.kind != dorkOS || mesh == s.path {
		return nil
	}
	if _, err := os.Stat(mesh); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, key := range []string{metaStamp, metaLost, metaTaken} {
		if value, err := c.meta(key); err != nil || value != "" {
			return err
		}
	}
	tables, denied, err := readOwn(ctx, &Store{path: mesh, readOnly: true, now: s.now})
	if err != nil || tables == nil {
		return nil
	}
	s.notices = append(s.notices, fmt.Sprintf("took over what the controller remembered in %s", mesh))
	return s.burst(c, true, s.now(), func(b *burst) error {
		if err := b.setMeta(metaTaken, mesh); err != nil {
			return err
		}
		for i := range tables {
			if err := b.takeTable(&tables[i]); err != nil {
				return err
			}
		}
		for _, path := range denied {
			if err := b.deny(path, "taken over from "+meshName); err != nil {
				return err
			}
		}
		return nil
	})
}

// readOwn reads the own records of a database of ours; nil where it has none.
func readOwn(ctx context.Context, mesh *Store) (tables []remembered, denied []string, err error) {
	err = mesh.snapshot(ctx, func(c *conn) error {
		tables, denied = nil, nil
		if c == nil || c.schema.kind != ours || !c.schema.own() {
			return nil
		}
		for _, name := range takenTables {
			t, err := c.remembered(ownPrefix + name)
			if err != nil {
				return err
			}
			tables = append(tables, t)
		}
		if c.schema.denials == "" {
			return nil
		}
		return c.query(`SELECT path FROM `+c.schema.denials, func(r *row) { denied = append(denied, r.text(0)) })
	})
	return tables, denied, err
}

func (c *conn) remembered(table string) (remembered, error) {
	t := remembered{table: table}
	err := c.query(`SELECT * FROM `+table, func(r *row) {
		var names []string
		var cells []any
		for i := range r.ColumnCount() {
			names = append(names, `"`+r.ColumnName(i)+`"`)
			cells = append(cells, r.cell(i))
		}
		t.columns = strings.Join(names, ", ")
		t.rows = append(t.rows, cells)
	})
	return t, err
}

func (b *burst) takeTable(t *remembered) error {
	for _, cells := range t.rows {
		params := strings.TrimSuffix(strings.Repeat("?, ", len(cells)), ", ")
		err := b.exec(`INSERT OR IGNORE INTO `+t.table+` (`+t.columns+`) VALUES (`+params+`)`, cells...)
		if err != nil {
			return fmt.Errorf("take over %s: %w", t.table, err)
		}
	}
	return nil
}

// Notices are what Open found that an operator should know; one line each.
func (s *Store) Notices() []string { return s.notices }

// noticeDorkOS says that DorkOS's index has come to the home of ours.
func (s *Store) noticeDorkOS() {
	dork := filepath.Join(filepath.Dir(s.path), dorkName)
	if filepath.Base(s.path) == meshName && isDorkOS(dork) {
		s.notices = append(s.notices, fmt.Sprintf("%s has appeared beside %s: "+
			"unless --db says otherwise it is used from the next start, and what the controller remembers is copied over", dork, s.path))
	}
}
