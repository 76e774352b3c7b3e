package main

import (
	"context"
	"time"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/vfs" // locks as another process does
)

// index is this process's own connection to an index: to the program another
// writer.
type index struct{ db *sqlite3.Conn }

// openIndex that is there, or makes one. A lock is waited for as DorkOS does.
func openIndex(path string) (*index, error) {
	db, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE)
	if err != nil {
		return nil, err
	}
	x := &index{db}
	return x, db.Exec("PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL")
}

func (x *index) close() error          { return x.db.Close() }
func (x *index) exec(sql string) error { return x.db.Exec(sql) }

// number is the first column of the first row.
func (x *index) number(sql string, args ...string) (int, error) {
	st, err := x.prepare(sql, args...)
	if err != nil {
		return 0, err
	}
	defer st.Close()
	n := 0
	if st.Step() {
		n = st.ColumnInt(0)
	}
	return n, st.Err()
}

// texts are the first columns of all rows.
func (x *index) texts(sql string) (all []string, err error) {
	st, err := x.prepare(sql)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	for st.Step() {
		all = append(all, st.ColumnText(0))
	}
	return all, st.Err()
}

func (x *index) prepare(sql string, args ...string) (*sqlite3.Stmt, error) {
	st, _, err := x.db.Prepare(sql)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		if err := st.BindText(i+1, a); err != nil {
			return nil, err
		}
	}
	return st, nil
}

// until the number is want; asked so often.
func (x *index) until(ctx context.Context, every time.Duration, want int, sql string, args ...string) error {
	for {
		n, err := x.number(sql, args...)
		if err != nil || n == want {
			return err
		}
		if err := pause(ctx, every); err != nil {
			return err
		}
	}
}
