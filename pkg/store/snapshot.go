package store

import (
	"context"
	"errors"
	"io/fs"
	"net/url"

	"github.com/ncruces/go-sqlite3"
)

// snapshotTries bounds how often a snapshot is taken again because the file
// moved under it. Then it is read under SQLite's locks, beside the writer.
const snapshotTries = 5

// snapshot runs fn on a connection that cannot write and closes it again; fn
// gets nil where there is no database, and may be called several times.
//
// Even a reader of a database in WAL mode makes a -wal and a -shm and, unable to
// write, leaves them behind. So where there is no -wal the file is read as
// immutable, without locks, and once more if it has moved meanwhile. Where there
// is one a writer is at work (or died), and its -wal is read with it.
func (s *Store) snapshot(ctx context.Context, fn func(*conn) error) error {
	for range snapshotTries {
		before, err := lookAt(s.path)
		if err != nil {
			return err
		}
		if before.db.id.IsZero() {
			return fn(nil)
		}
		if before.wal.size > 0 || s.hotJournal() {
			break
		}
		err = s.observe(ctx, url.Values{"immutable": {"1"}}, fn)
		if after, again := lookAt(s.path); again == nil && after == before {
			return err
		}
	}
	return s.observe(ctx, url.Values{"mode": {"ro"}}, fn)
}

func (s *Store) hotJournal() bool {
	j, err := stampOf(s.path + "-journal")
	return err == nil && j.size > 0
}

func (s *Store) observe(ctx context.Context, params url.Values, fn func(*conn) error) error {
	head, err := readHeader(s.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && head.empty {
		return fn(nil)
	}
	if err == nil && !head.sqlite {
		err = s.noDatabase()
	}
	if err != nil {
		return err
	}
	c, err := openConn(ctx, uri(s.path, params), sqlite3.OPEN_READONLY)
	if err != nil {
		return s.explain(err)
	}
	err = c.reading(func() error {
		if c.schema, err = inspect(c, s.path); err != nil {
			return err
		}
		return fn(c)
	})
	return s.explain(errors.Join(err, c.close()))
}

// read runs fn in one read transaction: on the store's own connection, or on a
// snapshot where the store is read only. Then fn may be called several times,
// and gets nil where there is no database.
func (s *Store) read(ctx context.Context, fn func(*conn) error) error {
	if s.readOnly {
		return ended(ctx, s.snapshot(ctx, fn))
	}
	c, err := s.connected(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	defer c.db.SetInterrupt(context.Background())
	if err := c.reading(func() error { return fn(c) }); err != nil {
		return ended(ctx, s.explain(errors.Join(err, s.disconnect())))
	}
	return nil
}

// glance is read for a caller who is not part of a sweep: nobody else would
// close a connection that was opened for it.
func (s *Store) glance(ctx context.Context, fn func(*conn) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	open := s.c != nil
	err := s.read(ctx, fn)
	if !open {
		err = errors.Join(err, s.disconnect())
	}
	return err
}
