package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Writable proves that the index would take a write, without one: it takes the
// write lock and lets it go. It changes no file, and leaves no connection open
// that was not open before.
func (s *Store) Writable(ctx context.Context) error {
	if s.readOnly {
		return ErrReadOnly
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	open := s.c != nil
	err := s.tryLock(ctx)
	if !open || err != nil {
		err = errors.Join(err, s.disconnect())
	}
	if err != nil {
		return fmt.Errorf("write to the index: %w", s.explain(err))
	}
	return nil
}

// Written is when the index last took a write of this process; zero: never.
func (s *Store) Written() time.Time {
	if ns := s.written.Load(); ns != 0 {
		return time.Unix(0, ns)
	}
	return time.Time{}
}

func (s *Store) tryLock(ctx context.Context) error {
	c, err := s.connected(ctx)
	if err != nil {
		return err
	}
	defer c.db.SetInterrupt(context.Background())
	if err := c.script(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	return c.end(`ROLLBACK`)
}
