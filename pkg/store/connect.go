package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/sys/unix"
)

// connected returns the connection, opened if need be, on the file that is at
// the path now. The connection obeys ctx until release.
//
// A handle on a file that was deleted or replaced keeps succeeding while nothing
// reaches the path, so the two are compared every time.
func (s *Store) connected(ctx context.Context) (*conn, error) {
	if s.c != nil {
		at, err := stampOf(s.path)
		switch {
		case err == nil && at.id == s.c.file:
			s.c.db.SetInterrupt(ctx)
			return s.c, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		if err := s.disconnect(); err != nil {
			return nil, err
		}
	}
	if err := s.connect(ctx); err != nil {
		return nil, s.explain(errors.Join(err, s.disconnect()))
	}
	return s.c, nil
}

func (s *Store) disconnect() error {
	if s.c == nil {
		return nil
	}
	err := s.c.close()
	s.c = nil
	if err != nil || s.lock == nil {
		return err
	}
	// The last one to close checkpoints, which syncs, and takes the -wal away.
	if at, err := lookAt(s.path); err == nil && at.wal.id.IsZero() {
		return s.lock.settle()
	}
	return nil
}

// connect opens the file, makes it where it is ours and gone, upgrades it, and
// compares the stamp.
func (s *Store) connect(ctx context.Context) error {
	before, head, err := s.ensureFile()
	if err != nil {
		return err
	}
	if s.c, err = s.openWriter(ctx, head); err != nil {
		return err
	}
	c := s.c
	if c.schema, err = inspect(c, s.path); err != nil {
		return err
	}
	if after, err := stampOf(s.path); err != nil || after.id != before.id {
		return errors.Join(fmt.Errorf("%s was replaced while it was opened", s.path), err)
	}
	c.file, s.kind = before.id, c.schema.kind
	if err := setUp(c, head); err != nil {
		return err
	}
	if len(c.schema.pending()) > 0 {
		if err := s.migrate(ctx, c, c.schema); err != nil {
			return err
		}
		if c.schema, err = inspect(c, s.path); err != nil {
			return err
		}
	}
	if err := s.compareStamp(c); err != nil {
		return err
	}
	return s.takeOver(ctx, c)
}

// ensureFile makes the database where it is ours and not there. DorkOS's is
// never made: it would not start on it.
func (s *Store) ensureFile() (stamped, header, error) {
	at, err := stampOf(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		if s.kind == dorkOS || filepath.Base(s.path) == dorkName {
			return stamped{}, header{}, &UnusableError{
				Path: s.path, Kind: ErrMissing,
				Todo: "start DorkOS once, which makes it, or name another database with --db",
			}
		}
		if err := createDir(filepath.Dir(s.path)); err != nil {
			return stamped{}, header{}, err
		}
		if err := createFile(s.path, 0o600); err != nil {
			return stamped{}, header{}, err
		}
		at, err = stampOf(s.path)
	}
	if err != nil {
		return stamped{}, header{}, err
	}
	head, err := readHeader(s.path)
	if err == nil && !head.empty && !head.sqlite {
		err = s.noDatabase()
	}
	return at, head, err
}

func (s *Store) noDatabase() error {
	return &UnusableError{Path: s.path, Kind: ErrCorrupt, Todo: "it does not begin as a SQLite database; " + corruptTodo}
}

// openWriter opens the file for writing; the -wal and -shm that come with it get
// the mode of the database whatever the umask.
func (s *Store) openWriter(ctx context.Context, head header) (*conn, error) {
	params := url.Values{}
	if !head.wal {
		// Also what a rollback journal gets. It touches the database's ctime, so it
		// is not for every opening.
		params.Set("modeof", s.path)
	}
	// Nothing is made beside a file that cannot be written: it would have its mode.
	if err := unix.Faccessat(unix.AT_FDCWD, s.path, unix.W_OK, unix.AT_EACCESS); err != nil {
		return nil, &fs.PathError{Op: "write", Path: s.path, Err: err}
	}
	if err := createSides(s.path, head.wal); err != nil {
		return nil, err
	}
	return openConn(ctx, uri(s.path, params), sqlite3.OPEN_READWRITE)
}

// setUp makes the connection behave as DorkOS's own do. The journal mode is
// written to the file, once.
func setUp(c *conn, head header) error {
	if !head.wal {
		if err := c.script(`PRAGMA journal_mode = WAL`); err != nil {
			return err
		}
	}
	c.full = true // the default
	if err := c.synchronous(false); err != nil {
		return err
	}
	return c.script(`PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON`)
}
