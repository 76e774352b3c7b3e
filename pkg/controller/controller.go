package controller

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"k8s.io/client-go/util/workqueue"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// ErrNotFound: nothing is known of what was asked for.
var ErrNotFound = errors.New("not found")

// Ports are what the loop stands on. Sources, Index and Clock are needed.
type Ports struct {
	Sources Sources
	Index   Index
	// Relay is nil where there is none.
	Relay relay.Backend
	// Claims is nil where this host is alone: everything is granted.
	Claims Claims
	// Metrics and Log are nil where nobody listens.
	Metrics Metrics
	Clock   Clock
	Log     *zap.Logger
	// Queue takes the workqueue's own metrics; nil: none.
	Queue workqueue.MetricsProvider
	// NewID mints the id of a new agent; nil: a ULID.
	NewID func(now time.Time) agent.ID

	// A simulation has to run the same way twice: it brings its own jitter, a
	// number below n, and is told, with no lock held, when a goroutine goes on
	// that another one or a timer woke. Nil: chance, and nothing.
	Jitter func(n int64) int64
	Woken  func(who Goroutine)
}

// Goroutine is what goes on when it was woken.
type Goroutine uint8

// The goroutines that work beside each other.
const (
	Worker   Goroutine = iota // with the first key of a batch
	Sweeper                   // to make a sweep
	Follower                  // to conclude a resync
	Caller                    // of an order that was carried out
)

// Controller is the loop.
type Controller struct {
	ports    Ports
	queue    *queue
	settling *settling
	ledger   *ledger
	triggers *triggers
	log      *zap.Logger

	options atomic.Pointer[Options]
	current atomic.Pointer[snapshot]
	// sequence numbers sweeps: a key proves something to a resync only when its
	// observation began after that resync's sweep.
	sequence atomic.Uint64
	progress atomic.Int64 // unix nanoseconds
	handled  atomic.Uint64

	// sweeping serialises sweeps; applying serialises effects, so that a rule is
	// never taken away under a newcomer.
	sweeping sync.Mutex
	applying sync.Mutex

	ready      chan struct{}
	readyOnce  sync.Once
	quarantine *quarantine
	resyncs    resyncs
	intents    *intents
	// paused: an operator has switched converging off.
	paused atomic.Bool
	// unrecorded: what the last sweep as a whole has shown could not be recorded.
	unrecorded atomic.Bool
	// unopened: a listing of the files had nothing to compare with, and no sweep
	// has opened everybody since.
	unopened  atomic.Bool
	following sync.WaitGroup
}

// complete puts something in the place of what may be left out.
func (p *Ports) complete() {
	if p.Claims == nil {
		p.Claims = granted{}
	}
	if p.Metrics == nil {
		p.Metrics = unheard{}
	}
	if p.Log == nil {
		p.Log = zap.NewNop()
	}
	if p.NewID == nil {
		p.NewID = newULID
	}
	if p.Jitter == nil {
		p.Jitter = rand.Int64N
	}
	if p.Woken == nil {
		p.Woken = func(Goroutine) {}
	}
}

// New makes a controller; nothing runs yet.
func New(o Options, p Ports) (*Controller, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	p.complete()
	c := &Controller{
		ports:      p,
		queue:      newQueue(&p),
		settling:   newSettling(p.Clock),
		ledger:     newLedger(),
		triggers:   newTriggers(),
		log:        p.Log,
		ready:      make(chan struct{}),
		quarantine: newQuarantine(),
		intents:    newIntents(),
	}
	c.options.Store(&o)
	c.touch()
	return c, nil
}

// SetOptions replaces what may change while running: graces, holds, intervals
// and configured roots. The next sweep and every decision after it use them.
func (c *Controller) SetOptions(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	c.options.Store(&o)
	return nil
}

// Ready is closed when the keys of the first sweep are done.
func (c *Controller) Ready() <-chan struct{} { return c.ready }

// Progress is when the loop last got something done, or had nothing to do.
func (c *Controller) Progress() time.Time { return time.Unix(0, c.progress.Load()) }

func (c *Controller) touch() { c.progress.Store(c.ports.Clock.Now().UnixNano()) }

// Run works until ctx ends, then finishes the keys in hand and returns. It
// blocks; everything that it started has ended when it returns.
func (c *Controller) Run(ctx context.Context) error {
	hand, drop := context.WithCancel(context.WithoutCancel(ctx))
	defer drop()
	var workers sync.WaitGroup
	for range c.options.Load().Workers {
		workers.Go(func() { c.work(ctx, hand) })
	}
	workers.Go(func() { c.pace(ctx) })
	<-ctx.Done()
	// ShutDown hands out the backlog; a worker that sees ctx ended leaves it.
	c.queue.ShutDown()
	c.finish(&workers, drop)
	c.resyncs.abandon()
	c.intents.abandon()
	c.following.Wait()
	return c.rest()
}

// handTime is how long the keys in hand may take once the controller is told to
// stop. Longer would miss the five seconds in which a process has to be gone.
const handTime = 3 * time.Second

// finish waits for the workers, and lets go of what they hold when it takes
// too long.
func (c *Controller) finish(workers *sync.WaitGroup, drop context.CancelFunc) {
	done := make(chan struct{})
	go func() {
		workers.Wait()
		close(done)
	}()
	timer := c.ports.Clock.NewTimer(handTime)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C():
		drop()
		<-done
	}
}

// rest closes the index when nothing is queued.
func (c *Controller) rest() error {
	c.applying.Lock()
	defer c.applying.Unlock()
	return c.ports.Index.Rest()
}

// knows reports whether any source knows the id.
func (s *snapshot) knows(id agent.ID) bool {
	if s.entry(id) != nil {
		return true
	}
	if len(s.files.Places(id)) > 0 {
		return true
	}
	if len(s.relay.Endpoints.Of(id)) > 0 {
		return true
	}
	_, ok := s.index.Displaced[id]
	return ok
}
