package store

import (
	"context"
	"errors"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// burst is one write transaction. The stamp is renewed with its first write, and
// a burst that turns out to have nothing to write leaves no trace.
type burst struct {
	s  *Store
	c  *conn
	at time.Time

	next  string // the one that the lock file names for it, "" for none
	stamp string // the one it commits with, "" while nothing was written
	learn lesson // what the memory learns when it has landed
}

// write runs fn in one transaction on the file that is at the path now.
func (s *Store) write(ctx context.Context, durable bool, at time.Time, fn func(*burst) error) error {
	if s.readOnly {
		return ErrReadOnly
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	c, err := s.connected(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	defer c.db.SetInterrupt(context.Background())
	if at.IsZero() {
		at = s.now()
	}
	if err := s.burst(c, durable, at, fn); err != nil {
		// It may have landed all the same: close, and look again.
		return ended(ctx, s.explain(errors.Join(err, s.disconnect())))
	}
	return nil
}

// errNoStamp: a burst turned out to have something to write, and the lock file
// names no stamp for it yet.
var errNoStamp = errors.New("the lock file names no next stamp")

// burst runs fn in a transaction, with the order of stamps that stamp.go tells.
// To sync the lock file takes as long as the disk likes, and while a transaction
// is open others wait for it: one that comes to its first write is given up, and
// fn runs once more when the stamp is on the disk.
func (s *Store) burst(c *conn, durable bool, at time.Time, fn func(*burst) error) error {
	err := s.transact(c, durable, at, "", fn)
	if !errors.Is(err, errNoStamp) {
		return err
	}
	next := newStamp()
	if err := s.lock.intend(next); err != nil {
		return err
	}
	return s.transact(c, durable, at, next, fn)
}

func (s *Store) transact(c *conn, durable bool, at time.Time, next string, fn func(*burst) error) error {
	durable = durable || s.lock != nil && s.lock.full()
	if err := c.synchronous(durable); err != nil {
		return err
	}
	if err := c.script(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	b := &burst{s: s, c: c, at: at, next: next}
	err := fn(b)
	if err == nil && b.stamp != "" {
		err = b.purge()
	}
	if err == nil {
		err = c.db.GetInterrupt().Err()
	}
	if err == nil && b.stamp != "" {
		err = c.end(`COMMIT`)
	}
	if errors.Is(err, errNoStamp) {
		return errors.Join(err, c.end(`ROLLBACK`))
	}
	if err != nil || b.stamp == "" {
		s.memory.doubt(&b.learn)
		return errors.Join(err, c.end(`ROLLBACK`))
	}
	s.memory.apply(&b.learn)
	if s.lock != nil {
		// It has landed. A lock file that still names both stamps is as good.
		_ = s.lock.confirm(b.stamp, durable)
	}
	return nil
}

// touch renews the stamp, once per burst; it passes an error on.
func (b *burst) touch(err error) error {
	if err != nil || b.stamp != "" {
		return err
	}
	if b.s.lock == nil {
		b.stamp = newStamp()
		return nil
	}
	if b.next == "" {
		return errNoStamp
	}
	b.stamp = b.next
	return b.putMeta(metaStamp, b.stamp)
}

// exec writes. Everything that a burst writes goes through here.
func (b *burst) exec(sql string, args ...any) error {
	if err := b.touch(nil); err != nil {
		return err
	}
	return b.c.exec(sql, args...)
}

func (b *burst) setMeta(key, value string) error { return b.touch(b.putMeta(key, value)) }

func (b *burst) putMeta(key, value string) error {
	return b.c.exec(`INSERT INTO mesh_controller_meta (key, value) VALUES (?, ?)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
}

func (b *burst) now() string { return agent.FormatTime(b.at) }
