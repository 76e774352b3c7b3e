package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Options of a store.
type Options struct {
	// Path of the database. Required; links are followed.
	Path string
	// Lock of the database, held by the caller, who also releases it. Without it
	// nothing is said about a lost index: the stamp is neither renewed nor
	// compared.
	Lock *Lock
	// ReadOnly creates nothing, writes nothing and leaves nothing behind. What is
	// not there reads as empty. It works beside a controller that runs.
	ReadOnly bool
	// QuickCheck looks for damaged pages before anything else is done.
	QuickCheck bool
	// Now is the wall clock, for the racy rule, for times of records that come
	// without one, and to keep transactions short. A reader may do without; then no
	// stamp is trusted.
	Now func() time.Time
}

// Store is an index. It may be used by several goroutines; one at a time gets
// through, the others wait as long as their context allows.
type Store struct {
	path     string // without links
	lock     *Lock
	readOnly bool
	now      func() time.Time

	notices []string // written by Open only

	written atomic.Int64 // nanoseconds since 1970; 0: never

	gate chan struct{} // holds a token while somebody is in
	// Below: only inside the gate.
	c      *conn
	kind   kind
	closed bool
	memory memory
	swept  time.Time // when old records were last looked for
}

// Open judges the database, makes or upgrades the schema where it is ours to do
// so, and finds out whether the index was lost. An *UnusableError means that the
// database was not touched.
func Open(ctx context.Context, o Options) (*Store, error) {
	path, err := resolve(o.Path)
	if err != nil {
		return nil, fmt.Errorf("open index %s: %w", o.Path, err)
	}
	s := &Store{path: path, lock: o.Lock, readOnly: o.ReadOnly, now: o.Now, gate: make(chan struct{}, 1)}
	if s.now == nil {
		if !s.readOnly {
			return nil, fmt.Errorf("open index %s: Options.Now is not set", o.Path)
		}
		s.now = noClock
	}
	if err := s.survey(ctx, o.QuickCheck); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	if s.readOnly {
		return s, nil
	}
	if _, err := s.connected(ctx); err != nil {
		return nil, fmt.Errorf("open index: %w", errors.Join(err, s.disconnect()))
	}
	s.noticeDorkOS()
	return s, nil
}

func noClock() time.Time { return time.Time{} }

// survey judges an existing database through a connection that cannot write.
func (s *Store) survey(ctx context.Context, check bool) error {
	if !s.readOnly && s.hotJournal() {
		return nil // only a writer can read it; it judges, too
	}
	return s.snapshot(ctx, func(c *conn) error {
		if c == nil || !check {
			return nil
		}
		return s.check(c)
	})
}

// Path is the real path of the database.
func (s *Store) Path() string { return s.path }

// Rest closes the connection, which checkpoints and leaves no -wal. The store
// opens it again when it is needed.
func (s *Store) Rest() error {
	s.gate <- struct{}{}
	defer s.leave()
	if err := s.disconnect(); err != nil {
		return fmt.Errorf("close index: %w", err)
	}
	return nil
}

// Close closes the store for good; later calls fail. It may be called twice.
func (s *Store) Close() error {
	s.gate <- struct{}{}
	defer s.leave()
	s.closed = true
	if err := s.disconnect(); err != nil {
		return fmt.Errorf("close index: %w", err)
	}
	return nil
}

var errClosed = errors.New("the index is closed")

// enter waits for the store to be free. Whoever entered must leave.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.gate <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.closed {
		s.leave()
		return errClosed
	}
	return nil
}

func (s *Store) leave() { <-s.gate }

// DefaultPath is the index of a home: DorkOS's where there is one, else ours.
// It reads no more than the schema.
func DefaultPath(dorkHome string) string {
	dork := filepath.Join(dorkHome, dorkName)
	if isDorkOS(dork) {
		return dork
	}
	return filepath.Join(dorkHome, "mesh.db")
}

// isDorkOS reports whether there is a database of DorkOS at path. One that
// cannot be judged (corrupt, too old, unreadable) counts as one: it is to be
// reported, not passed over in silence.
func isDorkOS(path string) bool {
	fi, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && fi.Size() == 0 {
		return false
	}
	s := &Store{path: path, readOnly: true, now: noClock}
	if real, err := resolve(path); err == nil {
		s.path = real
	}
	is := false
	err = s.snapshot(context.Background(), func(c *conn) error {
		is = c != nil && c.schema.kind == dorkOS
		return nil
	})
	return is || err != nil && !errors.Is(err, ErrForeign)
}
