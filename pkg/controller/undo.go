package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// undo is a stack of what takes back the steps of an intent, in reverse. Each
// restores only what is still ours: what somebody else has written meanwhile
// stays.
type undo struct{ steps []func(context.Context) error }

func (u *undo) push(step func(context.Context) error) { u.steps = append(u.steps, step) }

// undoWithin bounds each step of taking back. Only the index is waited for, so that
// all of it fits into the time of a stop.
const undoWithin = 2 * time.Second

// run takes everything back, whatever fails on the way, and joins the errors.
// It goes on when the order's own time is over, and each step has a time of its own:
// an index that is locked must not cost a manifest its old content.
func (u *undo) run(ctx context.Context) error {
	var errs []error
	for _, step := range slices.Backward(u.steps) {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
		if err := step(within); err != nil {
			errs = append(errs, fmt.Errorf("take back: %w", err))
		}
		cancel()
	}
	u.steps = nil
	return errors.Join(errs...)
}

// restore brings relay and index back to how they were when t was observed. It
// looks at what is there now, so it does not matter how far the plan came.
func (c *Controller) restore(ctx context.Context, t *task) error {
	c.applying.Lock()
	defer c.applying.Unlock()
	return errors.Join(c.restoreRelay(ctx, t), c.restoreIndex(ctx, t), c.settleLeft(ctx))
}

// restoreRelay takes away the addresses that the plan made and brings mail back
// to the one that it left.
func (c *Controller) restoreRelay(ctx context.Context, t *task) error {
	if c.ports.Relay == nil {
		return nil
	}
	var errs []error
	for _, a := range slices.Backward(t.plan.Actions) {
		var err error
		switch {
		case a.Type == plan.MoveMail && a.From != "":
			err = c.readdressBack(ctx, t, &a)
		case a.Type == plan.EnsureEndpoint && !t.had(a.Subject):
			err = c.ports.Relay.Retire(ctx, a.Subject, t.obs.Now.Wall)
		}
		if err != nil {
			c.ledger.stray(t.id, a.Subject)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// readdressBack brings mail back to the address that it left. The rules of its
// namespace may be gone already, and an address never exists without its deny.
func (c *Controller) readdressBack(ctx context.Context, t *task, a *plan.Action) error {
	ns, _, _ := agent.ParseSubject(string(a.From))
	row := t.obs.Row
	need := relay.Rules{Namespace: ns, System: row != nil && row.System() && row.Namespace() == ns}
	if err := c.ports.Relay.EnsureRules(ctx, []relay.Rules{need}); err != nil {
		return err
	}
	return c.ports.Relay.Readdress(ctx, a.Subject, a.From)
}

// had reports whether the address was there before.
func (t *task) had(s agent.Subject) bool {
	return slices.ContainsFunc(t.obs.Relay.Endpoints, func(e agent.Endpoint) bool { return e.Subject == s })
}

// restoreIndex puts back the row, what was remembered, and whoever was
// displaced. The namespace that was taken is recorded as left: its rules go
// when nobody needs them.
func (c *Controller) restoreIndex(ctx context.Context, t *task) error {
	ch := &t.plan.Change
	if ch.Op == agent.KeepRow && !ch.SetState && !ch.SetProblems {
		return nil
	}
	ids := []agent.ID{t.id}
	if ch.Displaces != "" {
		ids = append(ids, ch.Displaces)
	}
	views, _, err := c.ports.Index.Read(ctx, ids, nil)
	if err != nil {
		return err
	}
	changes := []agent.Change{t.back(views[t.id].Row)}
	if v := views[ch.Displaces]; ch.Displaces != "" && v.Row == nil && v.Tombstone != nil && t.incumbent.Row != nil {
		changes = append(changes, t.reinstate())
		c.ledger.mark([]agent.ID{ch.Displaces}, t.obs.Now.Wall, "")
		defer c.queue.Add(ch.Displaces)
	}
	c.ledger.leave(changes[0].Left)
	errs, err := c.ports.Index.Commit(ctx, changes)
	return errors.Join(append(errs, err)...)
}

// reinstate gives whom the plan displaced its row back.
func (t *task) reinstate() agent.Change {
	row, id := t.incumbent.Row, t.plan.Change.Displaces
	return agent.Change{
		ID: id, At: t.obs.Now, Op: agent.InsertRow, Row: row, SetState: true, State: t.incumbent.State, Durable: true,
		Events: []agent.Event{{
			At: t.obs.Now.Wall, ID: id, Reason: agent.Resurrected, Path: row.Path, Message: "what took its place was taken back",
		}},
	}
}

// back is the change from the row as it is now to how it was.
func (t *task) back(now *agent.Record) agent.Change {
	before := t.obs.Row
	ch := agent.Change{
		ID: t.id, At: t.obs.Now, Expected: now, SetState: true, State: t.obs.State,
		SetProblems: true, Problems: t.obs.Problems, Durable: true,
	}
	if t.obs.Tombstone != nil && before == nil {
		ch.Bury = t.obs.Tombstone
	}
	switch {
	case now == nil && before == nil:
	case before == nil:
		ch.Op = agent.RemoveRow
	case now == nil:
		ch.Op, ch.Row = agent.InsertRow, before
	case now.Path != before.Path:
		ch.Op, ch.Row = agent.RelocateRow, before
	default:
		ch.Op, ch.Row = agent.UpdateRow, before
	}
	if now != nil && (before == nil || before.Namespace() != now.Namespace()) {
		ch.Left = []string{now.Namespace()}
	}
	return ch
}
