package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// apply carries out the plans of a batch, stage by stage: durable records of
// what is to be removed, then the addresses that go, then the rows of all in
// one transaction, then rules in one write, then the addresses that come or
// move. A task that failed a stage takes no part in the next; nothing is
// resumed: it will be observed and planned anew.
//
// One batch at a time goes as far as the mail. Addresses that are new concern
// nobody else's key, and whose row stands keeps its rules: they are made beside
// the rows of the next batch, since of a cold start they are most of the work.
func (c *Controller) apply(ctx context.Context, tasks []*task) {
	c.prepare(ctx, tasks)
	c.makeEndpoints(ctx, tasks)
	live(tasks, func(t *task) error {
		c.ledger.setDeferred(t.id, t.waits)
		c.report(t)
		return nil
	})
	c.applying.Lock()
	defer c.applying.Unlock()
	c.announce(ctx, tasks)
}

// prepare does everything up to the addresses that are new.
func (c *Controller) prepare(ctx context.Context, tasks []*task) {
	c.applying.Lock()
	defer c.applying.Unlock()
	c.record(ctx, tasks)
	c.retire(ctx, tasks)
	c.claim(ctx, tasks)
	c.commit(ctx, tasks)
	c.ensureRules(ctx, tasks)
	c.moveMail(ctx, tasks)
}

// live calls f for every task that has not failed so far.
func live(tasks []*task, f func(*task) error) {
	for _, t := range tasks {
		if t.err == nil {
			t.err = f(t)
		}
	}
}

// record confirms each absence once more and makes the tombstones durable.
func (c *Controller) record(ctx context.Context, tasks []*task) {
	var some []*task
	live(tasks, func(t *task) error {
		if t.plan.Record == nil {
			return nil
		}
		if t.plan.Record.Reason == agent.Denied {
			if err := c.stillDenied(ctx, t.plan.Record.Record.Path); err != nil {
				return err
			}
		}
		if t.plan.Confirm {
			home := t.obs.Home
			look := c.probeHome(ctx, t, home.Look.Path, home.Look.Path)
			if e := look.Judge(t.id, agent.Mount{}); !e.Absent() {
				return fmt.Errorf("%w: the last look before the removal says %s", agent.ErrConflict, e)
			}
		}
		some = append(some, t)
		return nil
	})
	c.commitEach(ctx, some, "record", func(t *task) agent.Change {
		ch := agent.Change{
			ID: t.id, At: t.obs.Now, Expected: t.obs.Row, Bury: t.plan.Record,
			Events: t.history(), Durable: true,
		}
		if t.obs.Row == nil { // what says where it was may go without being seen to
			ch.Left = t.plan.Change.Left
		}
		return ch
	})
}

// stillDenied reads the deny list once more: the one that was planned with is
// that of the last sweep.
func (c *Controller) stillDenied(ctx context.Context, path string) error {
	list, err := c.ports.Index.Denials(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(d agent.Denial) bool { return agent.Within(path, d.Path) }) {
		return fmt.Errorf("%w: %s is not on the deny list any more", agent.ErrConflict, path)
	}
	return nil
}

// history is what a plan has to tell, in the order in which it happened.
func (t *task) history() []agent.Event {
	events := t.plan.Change.Events
	if t.plan.Deed != nil {
		events = append(slices.Clip(events), *t.plan.Deed)
	}
	return events
}

// retire takes addresses away, mail is kept aside.
func (c *Controller) retire(ctx context.Context, tasks []*task) {
	c.eachAction(tasks, plan.RemoveEndpoint, func(t *task, a *plan.Action) error {
		return c.ports.Relay.Retire(ctx, a.Subject, t.obs.Now.Wall)
	})
}

// claim asks whether this host may register an id.
func (c *Controller) claim(ctx context.Context, tasks []*task) {
	live(tasks, func(t *task) error {
		switch t.plan.Change.Op {
		case agent.InsertRow, agent.RelocateRow:
			return c.ports.Claims.Claim(ctx, t.id, t.plan.Change.Row.Path)
		case agent.KeepRow, agent.UpdateRow, agent.RemoveRow:
		}
		return nil
	})
}

// commit writes the rows and what is remembered.
func (c *Controller) commit(ctx context.Context, tasks []*task) {
	var some []*task
	live(tasks, func(t *task) error {
		if ch := t.change(); !ch.Empty() {
			some = append(some, t)
		}
		return nil
	})
	c.commitEach(ctx, some, "commit", (*task).change)
	for _, t := range some {
		for i := range t.plan.Actions {
			if a := &t.plan.Actions[i]; rowAction(a.Type) {
				c.ports.Metrics.Action(string(a.Type), outcome(t.err))
			}
		}
	}
	live(tasks, func(t *task) error { c.committed(t); return nil })
}

// change is the index's part of a plan. What a record told already it does not
// tell again, and a deed that the row does not show is told when it is done.
func (t *task) change() agent.Change {
	ch := t.plan.Change
	switch {
	case t.plan.Record != nil:
		ch.Events = nil
	case ch.Op != agent.KeepRow && t.intent == nil:
		ch.Events = t.history()
	}
	return ch
}

// committed takes over what is so now and queues whom the change displaced.
func (c *Controller) committed(t *task) {
	var displaced *agent.Entry
	if id := t.plan.Change.Displaces; id != "" {
		displaced = c.current.Load().entry(id)
		c.resyncs.join(t.id, id)
		c.ledger.mark([]agent.ID{id}, t.obs.Now.Wall, "")
		c.queue.Add(id)
	}
	if t.intent == nil {
		c.corrected(&t.plan)
	}
	c.ledger.planned(&t.plan, t.obs.Row, displaced)
}

// commitEach commits one change per task, all together; where the batch as a
// whole fails it is repeated one by one, so that nobody pays for another.
func (c *Controller) commitEach(ctx context.Context, tasks []*task, op string, change func(*task) agent.Change) {
	if len(tasks) == 0 {
		return
	}
	changes := make([]agent.Change, len(tasks))
	for i, t := range tasks {
		changes[i] = change(t)
	}
	errs, err := c.ports.Index.Commit(ctx, changes)
	if err != nil {
		c.ports.Metrics.IndexError(op)
		if len(tasks) == 1 || ctx.Err() != nil {
			for _, t := range tasks {
				t.err = err
			}
			return
		}
		for _, t := range tasks {
			c.commitEach(ctx, []*task{t}, op, change)
		}
		return
	}
	for i, t := range tasks {
		t.err = errs[i]
	}
}

// ensureRules makes the rules of every namespace of the batch exist.
func (c *Controller) ensureRules(ctx context.Context, tasks []*task) {
	wanted := map[string]bool{}
	var some []*task
	live(tasks, func(t *task) error {
		for i := range t.plan.Actions {
			if a := &t.plan.Actions[i]; a.Type == plan.EnsureRules {
				wanted[a.Namespace] = wanted[a.Namespace] || a.System
				some = append(some, t)
			}
		}
		return nil
	})
	if len(some) == 0 {
		return
	}
	batch := make([]relay.Rules, 0, len(wanted))
	for _, ns := range slices.Sorted(maps.Keys(wanted)) { // the same file on every run
		batch = append(batch, relay.Rules{Namespace: ns, System: wanted[ns]})
	}
	err := c.ports.Relay.EnsureRules(ctx, batch)
	if err != nil {
		c.ports.Metrics.RelayError("rules")
	}
	for _, t := range some {
		c.ports.Metrics.Action(string(plan.EnsureRules), outcome(err))
		if err != nil {
			t.err, t.relay = fmt.Errorf("ensure rules: %w", err), true
		}
	}
}

// moveMail brings addresses and mail to where they belong.
func (c *Controller) moveMail(ctx context.Context, tasks []*task) {
	c.eachAction(tasks, plan.MoveMail, func(t *task, a *plan.Action) error {
		if a.From == "" {
			err := c.ports.Relay.Restore(ctx, t.id, a.Subject)
			if err == nil {
				c.ledger.setRestored(t.id)
			}
			return err
		}
		return c.ports.Relay.Readdress(ctx, a.From, a.Subject)
	})
}

// makeEndpoints makes the addresses that are new.
func (c *Controller) makeEndpoints(ctx context.Context, tasks []*task) {
	for _, t := range tasks {
		err := c.guarded(t.id, func() error {
			c.eachAction([]*task{t}, plan.EnsureEndpoint, func(_ *task, a *plan.Action) error {
				return c.ports.Relay.EnsureEndpoint(ctx, a.Subject)
			})
			return nil
		})
		if err != nil {
			t.err = err
		}
	}
}

// eachAction does one kind of relay action. A step that waits for DorkOS is no
// failure.
func (c *Controller) eachAction(tasks []*task, kind plan.ActionType, do func(*task, *plan.Action) error) {
	live(tasks, func(t *task) error {
		for i := range t.plan.Actions {
			a := &t.plan.Actions[i]
			if a.Type != kind {
				continue
			}
			err := do(t, a)
			c.ports.Metrics.Action(string(kind), outcome(err))
			if waits(err) {
				t.waits = true
				continue
			}
			if err != nil {
				c.ports.Metrics.RelayError(string(kind))
				t.relay = true
				return fmt.Errorf("%s %s: %w", kind, a.Subject, err)
			}
		}
		return nil
	})
}

// announce records the events of those that only the relay saw.
func (c *Controller) announce(ctx context.Context, tasks []*task) {
	var some []*task
	live(tasks, func(t *task) error {
		if t.intent != nil {
			return c.tell(ctx, t)
		}
		if t.plan.Record == nil && t.plan.Deed != nil && t.plan.Change.Op == agent.KeepRow && !t.waits {
			some = append(some, t)
		}
		return nil
	})
	c.commitEach(ctx, some, "events", func(t *task) agent.Change {
		return agent.Change{ID: t.id, At: t.obs.Now, Expected: t.obs.Row, Events: []agent.Event{*t.plan.Deed}}
	})
}

// tell records the deed of an order, when everything else has landed.
func (c *Controller) tell(ctx context.Context, t *task) error {
	if t.plan.Record != nil || t.plan.Deed == nil || t.waits {
		return nil
	}
	views, _, err := c.ports.Index.Read(ctx, []agent.ID{t.id}, nil)
	if err != nil {
		return err
	}
	return c.commitOne(ctx, agent.Change{
		ID: t.id, At: t.obs.Now, Expected: views[t.id].Row, Events: []agent.Event{*t.plan.Deed},
	})
}

func rowAction(t plan.ActionType) bool {
	switch t {
	case plan.InsertRow, plan.UpdateRow, plan.RelocateRow, plan.MarkUnreachable, plan.MarkActive, plan.RemoveRow:
		return true
	case plan.EnsureEndpoint, plan.RemoveEndpoint, plan.MoveMail, plan.EnsureRules, plan.RemoveRules:
	}
	return false
}

func waits(err error) bool { return errors.Is(err, agent.ErrDeferred) }

func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case waits(err):
		return "deferred"
	case errors.Is(err, agent.ErrConflict):
		return "conflict"
	}
	return "error"
}
