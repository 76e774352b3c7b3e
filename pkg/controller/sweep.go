package controller

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// errStopped: the controller was stopped before the work was done.
var errStopped = errors.New("the controller is stopping")

// Sync makes one resync and waits until every key that it queued is proven
// converged or terminal. Run must be running.
func (c *Controller) Sync(ctx context.Context, req SyncRequest) (SyncResult, error) {
	if req.Trigger == "" {
		req.Trigger = "api"
	}
	var result SyncResult
	err := c.resync(ctx, req, &result)
	return result, err
}

// resync sweeps, queues, and follows the keys: to the end where a result is
// wanted, otherwise beside the loop.
func (c *Controller) resync(ctx context.Context, req SyncRequest, result *SyncResult) error {
	began := c.ports.Clock.Now()
	r := c.queueAtHome(ctx, req)
	atHome := r != nil
	if !atHome {
		var err error
		if r, err = c.sweepAndQueue(ctx, req); err != nil {
			return err
		}
	}
	if result == nil {
		if r.over() {
			c.swept(ctx)
		} else {
			c.following.Go(func() { c.follow(ctx, r) }) // ends with ctx or with the keys
		}
		return nil
	}
	select {
	case <-r.done:
		c.ports.Woken(Follower)
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.aborted {
		return errStopped
	}
	if !atHome { // else no sweep has ended
		c.swept(ctx)
	}
	*result = c.resyncs.result(r)
	c.ledger.fill(&result.Counts)
	result.Full = req.Full
	result.RelayDegraded = c.current.Load().relayTrouble()
	result.DurationSeconds = c.ports.Clock.Since(began).Seconds()
	return nil
}

// sweepAndQueue makes one sweep and queues what differs. The sweep's metrics
// are told when it ends, whatever comes of it.
func (c *Controller) sweepAndQueue(ctx context.Context, req SyncRequest) (*resync, error) {
	c.sweeping.Lock()
	defer c.sweeping.Unlock()
	began := c.ports.Clock.Now()
	stats := agent.SweepStats{Trigger: req.Trigger, Result: "error"}
	defer func() {
		stats.Ended = c.ports.Clock.Now()
		stats.Duration = stats.Ended.Sub(began)
		c.ports.Metrics.Swept(stats)
	}()
	last := c.current.Load()
	r, begun := c.resyncs.open(), false
	defer func() {
		if !begun {
			c.resyncs.cancel(r)
		}
	}()
	s, err := c.look(ctx, req, r, &stats)
	if err != nil {
		return nil, err
	}
	ids, err := c.selected(ctx, s, last, req)
	if err != nil {
		return nil, err
	}
	if s.anew {
		ids = c.beginWith(s, last, ids, req)
	}
	stats.Result = "ok"
	if !s.files.Complete() {
		stats.Result = "incomplete"
	}
	s.whole = len(req.Targets) == 0 && req.below == ""
	c.current.Store(s)
	ids, begun = c.resyncs.begin(r, c.sequence.Add(1), ids), true
	for _, id := range ids {
		if req.Full {
			c.queue.Forget(id)
			c.quarantine.release(id)
		}
		c.queue.Add(id)
	}
	c.touch()
	return r, nil
}

// beginWith opens what a sweep with nothing to compare with cannot tell to be
// converged, whoever it queues.
func (c *Controller) beginWith(s, last *snapshot, ids []agent.ID, req SyncRequest) []agent.ID {
	open := ids
	switch {
	case len(req.Targets) > 0 || req.below != "":
		open = s.ids()
	case last == nil && !req.Full:
		ids = c.leaveProven(s, ids)
		open = ids
	}
	c.ledger.mark(open, c.ports.Clock.Now(), "")
	c.unopened.Store(false)
	return ids
}

// follow waits for the keys of a sweep that nobody asked about.
func (c *Controller) follow(ctx context.Context, r *resync) {
	select {
	case <-r.done:
		c.ports.Woken(Follower)
		if !r.aborted {
			c.swept(ctx)
		}
	case <-ctx.Done():
	}
}

// swept closes a sweep whose keys are done: a complete one ends the state of a
// lost index, the problems of which no id is known are recorded, and the
// connection is let go.
func (c *Controller) swept(ctx context.Context) {
	s := c.current.Load()
	if err := c.conclude(ctx, s); err != nil && ctx.Err() == nil {
		c.log.Error("conclude a sweep", zap.Error(err))
	}
	c.gauge()
	c.readyOnce.Do(func() { close(c.ready) })
}
