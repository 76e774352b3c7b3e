package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// errPanic: handling a key panicked. It is treated as an error of that key.
var errPanic = errors.New("panic")

// work takes batches until the queue is shut down. After ctx has ended the
// backlog is handed out still: it is left for the next start. What is in hand
// then is finished, for as long as hand lasts.
func (c *Controller) work(ctx, hand context.Context) {
	var r room
	for {
		batch, shutdown := c.queue.take()
		if shutdown {
			return
		}
		c.handle(ctx, hand, batch, &r)
		if c.queue.Len() == 0 {
			r = room{}
		}
		c.touch()
	}
}

// handle observes, plans and applies a batch, and gives each key its result. A
// batch that panics as a whole is repeated key by key.
func (c *Controller) handle(ctx, hand context.Context, batch []agent.ID, r *room) {
	defer func() {
		for _, id := range batch {
			c.queue.Done(id)
		}
	}()
	if ctx.Err() != nil {
		return
	}
	own := make([]agent.ID, 0, len(batch))
	for _, id := range batch {
		if it := c.intents.take(id); it != nil {
			c.carryOut(hand, it)
		} else {
			own = append(own, id)
		}
	}
	if len(own) > 0 {
		c.handleOwn(hand, own, r)
	}
	c.tidy(hand)
	c.letGo(ctx)
}

// tidy looks for what is left of namespaces, which takes all rows into account:
// once for many batches, and behind whoever waits for a key. An order is answered
// after it.
func (c *Controller) tidy(ctx context.Context) {
	if c.queue.Len() > 0 {
		return
	}
	c.applying.Lock()
	defer c.applying.Unlock()
	if err := guard(func() error { return c.settleLeft(ctx) }); err != nil && ctx.Err() == nil {
		c.log.Warn(err.Error())
	}
}

// handleOwn makes one pass over keys that nobody ordered anything for.
func (c *Controller) handleOwn(ctx context.Context, batch []agent.ID, r *room) {
	began, sequence := c.ports.Clock.Now(), c.sequence.Load()
	tasks := c.converge(ctx, batch, r)
	defer r.leave()
	took := c.ports.Clock.Since(began) / time.Duration(len(batch))
	for _, t := range tasks {
		c.result(ctx, t, sequence, took)
	}
}

// letGo closes the index when nothing is left to do, and tells how things stand.
func (c *Controller) letGo(ctx context.Context) {
	if c.queue.Len() > 0 || ctx.Err() != nil {
		return
	}
	c.gauge()
	if err := c.rest(); err != nil {
		c.ports.Metrics.IndexError("close")
		c.log.Warn("close the index", zap.Error(err))
	}
}

// converge makes one pass over a batch.
func (c *Controller) converge(ctx context.Context, batch []agent.ID, r *room) []*task {
	var tasks []*task
	err := guard(func() (err error) {
		if tasks, err = c.observe(ctx, batch, r); err == nil {
			c.decide(ctx, tasks)
			c.apply(ctx, tasks)
		}
		return err
	})
	switch {
	case err == nil:
		return tasks
	case errors.Is(err, errPanic) && len(batch) > 1:
		tasks = tasks[:0]
		for _, id := range batch {
			tasks = append(tasks, c.converge(ctx, []agent.ID{id}, new(room))...)
		}
		return tasks
	}
	if errors.Is(err, errPanic) {
		err = c.panicked(batch[0], err)
	}
	tasks = tasks[:0]
	for _, id := range batch {
		tasks = append(tasks, &task{id: id, err: err})
	}
	return tasks
}

// decide plans for each task alone. A one-shot takes its second look at once.
func (c *Controller) decide(ctx context.Context, tasks []*task) {
	policy := c.options.Load().policy()
	for _, t := range tasks {
		if t.err != nil {
			continue
		}
		t.err = c.guarded(t.id, func() error { t.plan = plan.Compute(t.obs, policy); return nil })
		if t.err != nil || !t.plan.SecondLook {
			continue
		}
		again, err := c.observe(ctx, []agent.ID{t.id}, new(room))
		if err != nil {
			t.err = err
			continue
		}
		t.obs, t.err = again[0].obs, again[0].err
		if t.err == nil {
			t.err = c.guarded(t.id, func() error { t.plan = plan.Compute(t.obs, policy); return nil })
		}
	}
}

// guarded runs one key's part and turns a panic into an error of that key.
func (c *Controller) guarded(id agent.ID, f func() error) error {
	err := guard(f)
	if errors.Is(err, errPanic) {
		return c.panicked(id, err)
	}
	return err
}

func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return f()
}

func (c *Controller) panicked(id agent.ID, err error) error {
	n := c.quarantine.count(id)
	fields := []zap.Field{zap.String("event", "Panic"), zap.String("agent_id", clip(string(id))), zap.Int("in_a_row", n), zap.Error(err)}
	if p, ok := errors.AsType[*panicError](err); ok {
		fields = append(fields, zap.ByteString("stack", p.stack))
	}
	c.log.Error("panic", fields...)
	return err
}

// panicError is an errPanic. Where it came from is for the log, not for whoever
// waits for the key.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("%v: %v", errPanic, e.value) }
func (e *panicError) Unwrap() error { return errPanic }

func keys[K comparable](m map[K]struct{}) []K {
	list := make([]K, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	return list
}

func compare[T cmp.Ordered](a, b T) int { return cmp.Compare(a, b) }
