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

	began time.Time // since when others wait for the lock
	known bool      // the schema is still what it was when the connection was opened
	stamp string    // the one it commits with, "" while nothing was written
	learn lesson    // what the memory learns when it has landed

	// kept is what there was to find when the burst began to look, nil before.
	kept *kinds
	// The last time that was formatted, in milliseconds: it comes again and again.
	textOf int64
	asText string
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
var errNoStamp = errors.New("the lock file names no stamp ahead")

// burst runs fn in a transaction, with the order of stamps that stamp.go tells.
// To sync the lock file takes as long as the disk likes, and while a transaction
// is open others wait for it: one that comes to its first write while there is no
// stamp ahead is given up, and fn runs once more when some are on the disk.
func (s *Store) burst(c *conn, durable bool, at time.Time, fn func(*burst) error) error {
	if len(c.ahead) > 0 && s.lock.ours() != nil {
		c.ahead = nil
	}
	err := s.transact(c, durable, at, fn)
	if !errors.Is(err, errNoStamp) {
		return err
	}
	if c.ahead, err = s.lock.intend(); err != nil {
		return err
	}
	return s.transact(c, durable, at, fn)
}

func (s *Store) transact(c *conn, durable bool, at time.Time, fn func(*burst) error) error {
	durable = durable || s.lock != nil && s.lock.full()
	if err := c.synchronous(durable); err != nil {
		return err
	}
	if err := c.makeRoom(); err != nil {
		return err
	}
	if err := c.script(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	b := &burst{s: s, c: c, at: at, began: s.now()}
	version, err := c.schemaVersion()
	if err == nil {
		b.known = version == c.schema.version
		err = fn(b)
	}
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
	s.landed(c, durable)
	return nil
}

// landed tells the lock file of a commit. One that still names all the stamps is
// as good, so that errors have no consequence. Where it is time to sync what was
// committed it is done here, while nobody waits for the index; if that fails the
// next commit is synced.
func (s *Store) landed(c *conn, synced bool) {
	s.written.Store(s.now().UnixNano())
	if s.lock == nil {
		return
	}
	stamp := c.ahead[0]
	c.ahead = c.ahead[1:]
	_ = s.lock.confirm(stamp, synced)
	if s.lock.full() && c.syncWAL() == nil {
		_ = s.lock.settle()
	}
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
	if len(b.c.ahead) == 0 {
		return errNoStamp
	}
	b.stamp = b.c.ahead[0]
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

func (b *burst) now() string { return b.text(b.at) }

// text is agent.FormatTime.
func (b *burst) text(t time.Time) string {
	if ms := t.UnixMilli(); b.asText == "" || ms != b.textOf || t.IsZero() {
		b.textOf, b.asText = ms, agent.FormatTime(t)
	}
	return b.asText
}
