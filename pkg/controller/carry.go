package controller

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// carryOut is a worker's handling of a key for which an intent waits: look, see
// whether it may go ahead, write the file, prove index and relay. What cannot
// be proven is taken back, and the key is looked at again.
func (c *Controller) carryOut(ctx context.Context, it *intent) {
	defer close(it.done)
	began, sequence := c.ports.Clock.Now(), c.sequence.Load()
	t, err := c.attempt(ctx, it)
	took := c.ports.Clock.Since(began)
	if err != nil {
		it.err = err
		if _, refused := errors.AsType[*Refusal](err); !refused || !c.options.Load().OneShot {
			c.queue.Add(it.id) // whatever the loop had to do here is still to be done
		}
		if errors.Is(err, agent.ErrConflict) {
			return // it starts over
		}
		c.log.Info("an order was not carried out", zap.String("event", "OrderRefused"), zap.String("agent_id", clip(string(it.id))),
			zap.String("path", clip(it.path)), zap.Error(err))
		return
	}
	it.outcome = Outcome{
		ID: it.id, Path: t.plan.Path, Reason: t.plan.Reason, Message: t.plan.Message,
		Finished: t.err == nil && !t.waits && !t.plan.Retry,
	}
	switch {
	case t.err != nil:
		it.outcome.Message = t.err.Error()
	case t.plan.Retry:
		it.outcome.Message = t.doubtMessage()
	case t.waits:
		it.outcome.Message = agent.ErrDeferred.Error()
	}
	c.result(ctx, t, sequence, took)
}

func (t *task) doubtMessage() string {
	if t.doubt(); t.why != "" {
		return t.why
	}
	return t.plan.Message
}

// attempt carries an intent out once.
func (c *Controller) attempt(ctx context.Context, it *intent) (*task, error) {
	t, err := c.rehearseIntent(ctx, it)
	if err == nil {
		err = it.ready(t)
	}
	if err != nil {
		return nil, err
	}
	var u undo
	if it.write != nil {
		err = c.guarded(it.id, func() error { return it.write(ctx, t, &u) })
	}
	if err == nil {
		t, err = c.prove(ctx, it, &u)
	}
	if err != nil {
		return nil, errors.Join(err, u.run(ctx))
	}
	return t, nil
}

// rehearseIntent observes and plans, and does nothing.
func (c *Controller) rehearseIntent(ctx context.Context, it *intent) (*task, error) {
	t := &task{id: it.id, intent: it}
	if err := c.observeTasks(ctx, []*task{t}); err != nil {
		return nil, err
	}
	if t.err != nil {
		return nil, t.err
	}
	policy := c.options.Load().policy()
	err := c.guarded(it.id, func() error { t.plan = plan.Compute(t.obs, policy); return nil })
	return t, err
}

// prove observes, plans and applies until the plan has landed. Of a final
// intent it returns the task however that went.
func (c *Controller) prove(ctx context.Context, it *intent, u *undo) (*task, error) {
	for n := 1; ; n++ {
		t, err := c.rehearseIntent(ctx, it)
		if err == nil && !it.final {
			err = it.proven(t)
		}
		if err == nil {
			err = c.applyIntent(ctx, t, u)
		}
		switch {
		case err == nil:
			return t, nil
		case errors.Is(err, agent.ErrConflict) && n < conflictsInARow && ctx.Err() == nil:
			continue
		case it.final:
			return &task{id: it.id, intent: it, err: err, plan: plan.Plan{ID: it.id, Path: it.path, Reason: it.order.Reason}}, nil
		}
		return nil, err
	}
}

// applyIntent carries one plan out. Taking back begins where the plan began.
func (c *Controller) applyIntent(ctx context.Context, t *task, u *undo) error {
	if id := t.plan.Change.Displaces; id != "" {
		views, _, err := c.ports.Index.Read(ctx, []agent.ID{id}, nil)
		if err != nil {
			return fmt.Errorf("read who stands at %s: %w", t.plan.Path, err)
		}
		t.incumbent = views[id]
	}
	if p := &t.plan; t.intent.write != nil && t.intent.order.Reason == agent.Updated && p.Reason == agent.InSync && p.Deed == nil {
		// What was set is in the file alone: no column has it.
		p.Reason, p.Message = agent.Updated, "the manifest was written; the index keeps nothing of what was set"
		p.Deed = &agent.Event{At: t.obs.Now.Wall, ID: t.id, Reason: p.Reason, Path: p.Path, Message: p.Message}
	}
	if !t.intent.final {
		u.push(func(ctx context.Context) error { return c.restore(ctx, t) })
	}
	c.apply(ctx, []*task{t})
	c.tidy(ctx)
	return t.err
}
