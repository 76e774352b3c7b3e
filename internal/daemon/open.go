package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/clock"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
	"github.com/mesh-registry/mesh-controller/pkg/relay/maildir"
	"github.com/mesh-registry/mesh-controller/pkg/sources"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

// The adapters are what the controller asks for.
var (
	_ controller.Sources = (*reloadableSources)(nil)
	_ controller.Index   = (*store.Store)(nil)
	_ controller.Metrics = (*telemetry)(nil)
	_ controller.Clock   = clock.System{}
	_ relay.Backend      = (*maildir.Relay)(nil)
	_ Loop               = (*controller.Controller)(nil)
	_ History            = (*store.Store)(nil)
)

// mode is what a process opens its parts for.
type mode uint8

const (
	reading mode = iota // writes nothing; works beside a daemon
	oneShot             // one sync, under the lock
	serving             // the sidecar, under the lock
)

// lockIndex takes the lock of the index, at once or not at all. Whoever has it
// writes, and whatever the process makes from now on is for its user alone.
func lockIndex(s *Settings) (*store.Lock, error) {
	syscall.Umask(0o077)
	lock, err := store.Acquire(s.DB)
	if held, ok := errors.AsType[*store.HeldError](err); ok {
		return nil, &LockedError{DB: s.DB, PID: held.PID, Err: err}
	}
	return lock, err
}

// open wires the parts. The lock is the caller's, before and after; reading
// needs none.
func open(ctx context.Context, s *Settings, m mode, lock *store.Lock, b Build, log *zap.Logger) (*parts, error) {
	clk := clock.New()
	index, err := store.Open(ctx, store.Options{
		Path: s.DB, Lock: lock, ReadOnly: m == reading, QuickCheck: m == serving, Now: clk.Now,
	})
	if err != nil {
		return nil, databaseError(err)
	}
	for _, notice := range index.Notices() {
		log.Warn("index", zap.String("notice", notice))
	}
	p, err := wire(&s.Config, m, index, b, clk, log)
	if err != nil {
		return nil, errors.Join(err, index.Close())
	}
	return p, nil
}

func databaseError(err error) error {
	if unusable, ok := errors.AsType[*store.UnusableError](err); ok {
		return &DatabaseError{Err: err, Todo: unusable.Todo}
	}
	return err
}

func wire(c *Config, m mode, index *store.Store, b Build, clk clock.System, log *zap.Logger) (*parts, error) {
	files := &reloadableSources{}
	if err := files.set(c); err != nil {
		return nil, err
	}
	backend, err := newRelay(c, m, clk.Now)
	if err != nil {
		return nil, err
	}
	t := newTelemetry(b)
	loop, err := controller.New(controllerOptions(c, m), controller.Ports{
		Sources: files, Index: index, Relay: backend, Metrics: t,
		Clock: clk, Log: log, Queue: t.Workqueue(),
	})
	if err != nil {
		return nil, err
	}
	return &parts{
		loop: loop, history: index, metrics: t, now: clk.Now, close: index.Close,
		writable:      index.Writable,
		written:       index.Written,
		check:         func(ctx context.Context) error { return databaseError(index.QuickCheck(ctx)) },
		relayReadable: func(ctx context.Context) error { return relayReadable(ctx, backend) },
		reload: func(c *Config) error {
			return errors.Join(files.set(c), loop.SetOptions(controllerOptions(c, m)))
		},
	}, nil
}

func newRelay(c *Config, m mode, now func() time.Time) (relay.Backend, error) {
	if c.Relay == "none" {
		return nil, nil
	}
	backend, err := maildir.New(maildir.Options{Dir: c.RelayDir, DorkHome: c.DorkHome, Now: now, ReadOnly: m == reading})
	if err != nil {
		return nil, fmt.Errorf("relay-dir: %w", err)
	}
	go backend.Warm(context.Background()) // beside the first sweep
	return backend, nil
}

// relayReadable looks at no mailbox and reads the rules of no namespace: that takes
// the relay's answer, mailboxes that can be looked at and rules that can be read.
func relayReadable(ctx context.Context, b relay.Backend) error {
	if b == nil {
		return nil
	}
	if _, err := b.Endpoints(ctx, nil); err != nil {
		return err
	}
	_, err := b.NamespaceRules(ctx, nil)
	return err
}

func controllerOptions(c *Config, m mode) controller.Options {
	never := []string{"/"}
	if c.Home != "" {
		never = append(never, c.Home)
	}
	roots := slices.DeleteFunc(slices.Clone(c.ScanRoots), func(r string) bool { return r == c.ManagedHome })
	return controller.Options{
		ResyncInterval: c.ResyncInterval, ResyncJitter: c.ResyncJitter,
		OrphanGrace: c.OrphanGrace, Settle: c.Settle, UnmountedGrace: c.UnmountedGrace,
		MassMissingMin: c.MassMissingMin, MassMissingRatio: c.MassMissingRatio, MassMissingHold: c.MassMissingHold,
		Workers: c.Workers, ScanRoots: roots, ManagedHome: c.ManagedHome, NeverWalk: never,
		OneShot: m == oneShot, ReadOnly: m == reading,
	}
}

// reloadableSources is a tree whose options change by taking a new tree: it
// remembers nothing, so the forced sweep that follows a reload sees everything.
type reloadableSources struct {
	options sources.Options // of the tree; set is never called twice at once
	tree    atomic.Pointer[sources.Tree]
}

// set takes a new tree if an option changed.
func (r *reloadableSources) set(c *Config) error {
	o := sources.DefaultOptions()
	o.Depth, o.ProbeTimeout, o.ManagedHome = c.ScanDepth, c.ProbeTimeout, c.ManagedHome
	if c.ScanDepth == 0 {
		o.Depth = sources.AtRoot
	}
	if o == r.options {
		return nil
	}
	tree, err := sources.New(o)
	if err != nil {
		return err
	}
	r.options = o
	r.tree.Store(tree)
	return nil
}

// Sweep looks at everything.
func (r *reloadableSources) Sweep(ctx context.Context, req agent.SweepRequest) (*agent.Listing, agent.Changes, error) {
	return r.tree.Load().Sweep(ctx, req)
}

// Probe takes one fresh look.
func (r *reloadableSources) Probe(ctx context.Context, req agent.ProbeRequest) agent.Look {
	return r.tree.Load().Probe(ctx, req)
}
