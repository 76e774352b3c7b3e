package controller

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// conflictDelay is how soon a key is observed again after the world moved under
// it.
const conflictDelay = 5 * time.Millisecond

// conflictsInARow after which a conflict counts as a failure and backs off.
const conflictsInARow = 5

// result ends one handling of a key: it is done, comes back later, or failed
// and backs off.
func (c *Controller) result(ctx context.Context, t *task, sequence uint64, took time.Duration) {
	now := c.ports.Clock.Now()
	switch {
	case errors.Is(t.err, errPanic) && c.quarantine.holds(t.id):
		c.ports.Metrics.Reconciled("panic", took)
		c.queue.Forget(t.id)
		c.ledger.settled(t.id, false)
		c.listQuarantined(ctx, t)
		c.resyncs.finish(t, sequence, 0, c.failure(t, agent.Quarantined))
	case errors.Is(t.err, errPanic):
		c.ports.Metrics.Reconciled("panic", took)
		c.fail(t, sequence, now, agent.UnknownEvidence)
	case errors.Is(t.err, agent.ErrConflict) && c.queue.NumRequeues(t.id) < conflictsInARow:
		c.ports.Metrics.Reconciled("requeue", took)
		c.queue.backoff.When(t.id) // counts, and is cleared by success
		c.ledger.mark([]agent.ID{t.id}, now, "")
		c.queue.AddAfter(t.id, conflictDelay)
	case t.err != nil:
		c.ports.Metrics.Reconciled("error", took)
		c.log.Warn("reconcile", zap.String("agent_id", clip(string(t.id))), zap.String("path", clip(t.plan.Path)),
			zap.String("reason", string(t.plan.Reason)), zap.Error(t.err))
		c.fail(t, sequence, now, reasonOf(t.err))
	case t.plan.Retry:
		c.ports.Metrics.Reconciled("requeue", took)
		c.fail(t, sequence, now, t.doubt())
	default:
		c.done(t, sequence, now, took)
	}
}

// doubt says why a plan is to be made again. Where the evidence is none, it is
// the relay, whatever else the plan did.
func (t *task) doubt() agent.Reason {
	why := t.obs.Relay.Down
	if why == "" {
		why = t.obs.Relay.Degraded
	}
	if t.plan.Reason == agent.UnknownEvidence || why == "" {
		return t.plan.Reason
	}
	t.relay, t.why = true, why
	return agent.RelayDegraded
}

// done ends a key that is converged, or in a state that time or new evidence
// ends.
func (c *Controller) done(t *task, sequence uint64, now time.Time, took time.Duration) {
	c.quarantine.release(t.id)
	c.queue.Forget(t.id)
	since, differed := c.ledger.settled(t.id, t.plan.NeedSweep)
	if differed && len(t.plan.Actions) > 0 {
		c.ports.Metrics.Converged(now.Sub(since))
	}
	result := "ok"
	if t.plan.RequeueAfter > 0 {
		result = "requeue"
		c.queue.AddAfter(t.id, t.plan.RequeueAfter)
	}
	if t.plan.NeedSweep && !c.options.Load().OneShot && !c.waitsForInterval() {
		c.Trigger("interval", false)
	}
	// Another place that carries the id may take it now. What is left of one that
	// is out already waits for the next sweep.
	if t.plan.Record != nil && t.plan.Reason == agent.Denied && len(t.obs.Claims) > 0 {
		c.queue.AddAfter(t.id, conflictDelay)
	}
	c.ports.Metrics.Reconciled(result, took)
	d := deedOf(&t.plan)
	if t.waits && d == synced {
		d = 0 // a step that waits for DorkOS is not done, however often it is tried
	}
	c.resyncs.finish(t, sequence, d, nil)
}

// waitsForInterval reports whether another sweep would be no wiser: the last one
// was incomplete and only just ended, or what it has shown could not be
// recorded. The interval brings the next.
func (c *Controller) waitsForInterval() bool {
	s := c.current.Load()
	return c.unrecorded.Load() || !s.files.Complete() && s.began >= c.settling.since()
}

// fail lets a key back off and tells whoever waits for it.
func (c *Controller) fail(t *task, sequence uint64, now time.Time, reason agent.Reason) {
	if t.relay {
		c.queue.backoff.blameRelay(t.id)
	}
	c.ledger.failed(t.id, now)
	c.resyncs.finish(t, sequence, deedOf(&t.plan), c.failure(t, reason))
	c.queue.AddRateLimited(t.id)
}

func (c *Controller) failure(t *task, reason agent.Reason) *Failure {
	f := &Failure{ID: t.id, Path: t.plan.Path, Reason: reason, Message: t.plan.Message}
	switch {
	case t.err != nil:
		f.Message = t.err.Error()
	case t.why != "":
		f.Message = t.why
	}
	if f.Path == "" && t.obs.Row != nil {
		f.Path = t.obs.Row.Path
	}
	return f
}

func reasonOf(err error) agent.Reason {
	switch {
	case errors.Is(err, agent.ErrConflict):
		return agent.Conflict
	case errors.Is(err, agent.ErrDegraded):
		return agent.RelayDegraded
	}
	return agent.UnknownEvidence
}
