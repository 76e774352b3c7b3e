package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// busyTimeout is how long a lock of another process is waited for, as DorkOS
// does. Smaller fails beside an ordinary checkpoint on a slow disk; larger keeps
// a worker from saying that it is stuck.
const busyTimeout = 5 * time.Second

// scanPages are kept in memory while nobody asks for single rows. A scan needs
// each page once, and memory that is new to the process costs more than to read
// the page.
const scanPages = 50

// conn is one open connection and its prepared statements. It is used by one
// goroutine at a time (Store.enter).
type conn struct {
	db *sqlite3.Conn
	// schema as it was when the connection was opened.
	schema *schema
	// file is the identity of the open file.
	file agent.FileID

	stmts   map[string]*sqlite3.Stmt
	rows    map[string]*sqlite3.Stmt // by column
	inserts map[columnSet]*binder
	updates map[columnSet]*binder
	events  *binder // nil until the first
	states  *binder // nil until the first
	full    bool    // synchronous is FULL
	roomy   bool    // SQLite may keep more pages than a scan needs
	// ahead are the stamps that the lock file on the disk names for the next
	// writes through this connection.
	ahead []string
	buf   []byte
	// before is the last row that was read in full.
	before agent.Record
	mounts mounts
}

func openConn(ctx context.Context, uri string, flags sqlite3.OpenFlag) (*conn, error) {
	db, err := sqlite3.OpenFlags(uri, flags|sqlite3.OPEN_URI|sqlite3.OPEN_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	c := &conn{
		db:      db,
		stmts:   map[string]*sqlite3.Stmt{},
		rows:    map[string]*sqlite3.Stmt{},
		inserts: map[columnSet]*binder{},
		updates: map[columnSet]*binder{},
	}
	db.SetInterrupt(ctx)
	err = db.BusyTimeout(busyTimeout)
	if err == nil {
		// A row of a damaged page should be an error, not a row.
		err = c.script(`PRAGMA cell_size_check = ON; PRAGMA cache_size = ` + strconv.Itoa(scanPages))
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// close ends the connection; the last one on a database checkpoints it and
// removes the -wal.
func (c *conn) close() error {
	c.db.SetInterrupt(context.Background())
	var errs []error
	for _, st := range slices.Collect(c.db.Stmts()) {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, c.db.Close())...)
}

// script runs statements that return nothing of interest and are not kept.
func (c *conn) script(sql string) error { return c.db.Exec(sql) }

// stmt is the prepared statement for sql, made once per connection. sql must be
// one of a few texts: nothing is ever dropped.
func (c *conn) stmt(sql string) (*sqlite3.Stmt, error) {
	if st := c.stmts[sql]; st != nil {
		return st, nil
	}
	st, err := c.prepare(sql)
	if err != nil {
		return nil, err
	}
	c.stmts[sql] = st
	return st, nil
}

func (c *conn) prepare(sql string) (*sqlite3.Stmt, error) {
	st, _, err := c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	return st, err
}

// exec runs a statement with arguments.
func (c *conn) exec(sql string, args ...any) error {
	st, err := c.stmt(sql)
	if err != nil {
		return err
	}
	if err := bindAll(st, args); err != nil {
		return err
	}
	return st.Exec()
}

// query calls fn for every row.
func (c *conn) query(sql string, fn func(*row), args ...any) error {
	st, err := c.stmt(sql)
	if err != nil {
		return err
	}
	if err := bindAll(st, args); err != nil {
		return err
	}
	r := row{st}
	for st.Step() {
		fn(&r)
	}
	return errors.Join(st.Err(), st.Reset())
}

// schemaVersion changes whenever anybody changes the schema.
func (c *conn) schemaVersion() (version int64, err error) {
	err = c.query(`PRAGMA schema_version`, func(r *row) { version = r.int(0) })
	return version, err
}

// exists reports whether a query has a row.
func (c *conn) exists(sql string, args ...any) (bool, error) {
	found := false
	err := c.query(sql, func(*row) { found = true }, args...)
	return found, err
}

func bindAll(st *sqlite3.Stmt, args []any) error {
	for i, a := range args {
		if err := bind(st, i+1, a); err != nil {
			return err
		}
	}
	return nil
}

func bind(st *sqlite3.Stmt, i int, a any) error {
	switch v := a.(type) {
	case nil:
		return st.BindNull(i)
	case string:
		return st.BindText(i, v)
	case agent.ID:
		return st.BindText(i, string(v))
	case agent.Reason:
		return st.BindText(i, string(v))
	case int64:
		return st.BindInt64(i, v)
	case bool:
		return st.BindBool(i, v)
	case agent.Cell:
		return bindCell(st, i, v)
	}
	return fmt.Errorf("bind %d: %T", i, a)
}

// orNull is NULL for "".
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// reading runs fn in one read transaction: everything it sees is of one moment.
func (c *conn) reading(fn func() error) error {
	if err := c.script(`BEGIN`); err != nil {
		return err
	}
	err := fn()
	return errors.Join(err, c.end(`ROLLBACK`))
}

// immediately runs fn in one write transaction. A deferred one that turns into a
// write is not waited for by the busy timeout.
func (c *conn) immediately(fn func() error) error {
	if err := c.script(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return errors.Join(err, c.end(`ROLLBACK`))
	}
	if err := c.end(`COMMIT`); err != nil {
		return errors.Join(err, c.end(`ROLLBACK`))
	}
	return nil
}

// end finishes a transaction whatever has become of the caller's context.
func (c *conn) end(sql string) error {
	if c.db.GetAutocommit() {
		return nil // SQLite has rolled back by itself
	}
	defer c.db.SetInterrupt(c.db.SetInterrupt(context.Background()))
	return c.script(sql)
}

// makeRoom lets SQLite keep pages that are going to be needed again, 2 MB as it
// does by default.
func (c *conn) makeRoom() error {
	if c.roomy {
		return nil
	}
	c.roomy = true
	return c.script(`PRAGMA cache_size = -2000`)
}

// synchronous sets how much of a commit is on the disk when it returns: FULL
// survives a power cut, NORMAL may lose the last commits (and nothing else).
func (c *conn) synchronous(full bool) error {
	if full == c.full {
		return nil
	}
	mode := `PRAGMA synchronous = NORMAL`
	if full {
		mode = `PRAGMA synchronous = FULL`
	}
	if err := c.script(mode); err != nil {
		return err
	}
	c.full = full
	return nil
}

// syncWAL puts on the disk whatever was committed: a checkpoint has synced what is
// not in the -wal any more.
func (c *conn) syncWAL() error {
	file, err := c.db.FileControl("", sqlite3.FCNTL_JOURNAL_POINTER)
	if err != nil {
		return err
	}
	wal, ok := file.(vfs.File)
	if !ok {
		return fmt.Errorf("the -wal is a %T", file)
	}
	return wal.Sync(vfs.SYNC_NORMAL)
}
