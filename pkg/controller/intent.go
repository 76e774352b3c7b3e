package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// intent is what an operator wants of one id. It waits for its turn in the
// queue like any other reason to look at the key, is planned by the same
// planner and applied by the same stages; only what a failure means differs:
// the file step and everything after it is undone.
type intent struct {
	id    agent.ID
	order plan.Order
	// path is looked at besides the places that the sweep saw; "" for none.
	path string
	// ready says whether it may go ahead, by what is so before anything was
	// touched. It returns a Refusal where it may not.
	ready func(t *task) error
	// write is the file step, nil where the file is as it should be. What it did
	// it pushes on the stack.
	write func(ctx context.Context, t *task, u *undo) error
	// proven says whether what is planned once the file is written is what was
	// ordered.
	proven func(t *task) error
	// final: the file step cannot be taken back. Whatever fails after it is
	// finished by the loop.
	final bool

	done    chan struct{}
	outcome Outcome
	err     error
}

// intents are the ones that wait for their key, and the directories that one is
// about.
type intents struct {
	mu      sync.Mutex
	waiting map[agent.ID]*intent
	busy    map[string]struct{}
	closed  bool
}

func newIntents() *intents {
	return &intents{waiting: map[agent.ID]*intent{}, busy: map[string]struct{}{}}
}

// enter makes an order the only one about a directory; false while there is
// another one.
func (x *intents) enter(path string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, taken := x.busy[path]
	x.busy[path] = struct{}{}
	return !taken
}

func (x *intents) leave(path string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.busy, path)
}

// queueing says what an order does while another one is about the same
// directory.
type queueing bool

const (
	inLine queueing = true  // it waits: what it wants is as right afterwards
	only   queueing = false // it is refused: of two that make an agent one is too much
)

// enter makes an order the only one about a directory until leave is called.
func (c *Controller) enter(ctx context.Context, path string, q queueing) (leave func(), err error) {
	for !c.intents.enter(path) {
		if q == only {
			return nil, refuse("wait until it is done and look again", "another order is at work in %s", path)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.ports.Clock.After(orderPause):
		}
	}
	return func() { c.intents.leave(path) }, nil
}

// add lets an intent wait; false while another one for its id does, or when the
// controller stops.
func (x *intents) add(it *intent) (added, closed bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed || x.waiting[it.id] != nil {
		return false, x.closed
	}
	x.waiting[it.id] = it
	return true, false
}

// take hands an intent to the worker that has its key.
func (x *intents) take(id agent.ID) *intent {
	x.mu.Lock()
	defer x.mu.Unlock()
	it := x.waiting[id]
	delete(x.waiting, id)
	return it
}

// drop takes back an intent that nobody waits for any more; false when a worker
// has it.
func (x *intents) drop(it *intent) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.waiting[it.id] != it {
		return false
	}
	delete(x.waiting, it.id)
	return true
}

// abandon ends every wait: the controller stops.
func (x *intents) abandon() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	for id, it := range x.waiting {
		it.err = errStopped
		close(it.done)
		delete(x.waiting, id)
	}
}

// orderPause is how long an order waits for the one before it about the same id.
const orderPause = 2 * time.Millisecond

// carry queues an intent and waits for its outcome. When ctx ends first, an
// intent that a worker has in hand is still carried out, and undone where it
// cannot be.
func (c *Controller) carry(ctx context.Context, it *intent) (Outcome, error) {
	it.done = make(chan struct{})
	for {
		added, closed := c.intents.add(it)
		if added {
			break
		}
		if closed {
			return Outcome{}, errStopped
		}
		select {
		case <-ctx.Done():
			return Outcome{}, ctx.Err()
		case <-c.ports.Clock.After(orderPause):
		}
	}
	c.queue.Add(it.id)
	select {
	case <-it.done:
		c.ports.Woken(Caller)
	case <-ctx.Done():
		if c.intents.drop(it) {
			return Outcome{}, ctx.Err()
		}
		<-it.done
	}
	return it.outcome, it.err
}

// orderTries bounds how often an order starts over because somebody else wrote
// the file, or moved the world, in between.
const orderTries = 10

// again repeats an order as long as the world moves under it, and lets go of
// the index when it is over.
func (c *Controller) again(ctx context.Context, order func() (Outcome, error)) (Outcome, error) {
	defer c.letGo(context.WithoutCancel(ctx))
	for n := 1; ; n++ {
		out, err := order()
		if !errors.Is(err, agent.ErrConflict) || ctx.Err() != nil {
			return out, err
		}
		if n == orderTries {
			return out, fmt.Errorf("given up after %d tries: %w", n, err)
		}
	}
}

func refuse(hint, message string, args ...any) *Refusal {
	return &Refusal{Message: fmt.Sprintf(message, args...), Hint: hint}
}

func misuse(hint, message string, args ...any) *Refusal {
	return &Refusal{Usage: true, Message: fmt.Sprintf(message, args...), Hint: hint}
}
