package controller

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

// sweepRetry is how long a sweep that could not be made waits before it is
// tried again; it doubles up to backoffMax.
const sweepRetry = time.Second

// triggers collects requests for a sweep: at most one runs and one waits.
type triggers struct {
	wake chan struct{} // capacity 1

	mu      sync.Mutex
	trigger string
	full    bool
}

func newTriggers() *triggers { return &triggers{wake: make(chan struct{}, 1)} }

// request asks for a sweep; bursts coalesce, and a full one wins.
func (t *triggers) request(trigger string, full bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trigger == "" {
		t.trigger = trigger
	}
	t.full = t.full || full
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// taken ends the request that waits. A wake stands exactly while one does.
func (t *triggers) taken() (trigger string, full bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.wake:
	default:
	}
	trigger, full = t.trigger, t.full
	t.trigger, t.full = "", false
	return trigger, full
}

// Trigger asks for a sweep without waiting for it. A full one reads every
// manifest and clears every backoff.
func (c *Controller) Trigger(trigger string, full bool) { c.triggers.request(trigger, full) }

// pace makes the sweeps: at startup, every interval, and when asked.
func (c *Controller) pace(ctx context.Context) {
	if !c.options.Load().OneShot {
		c.Trigger("startup", false)
	}
	retry := time.Duration(0)
	for {
		wait, timed := c.interval()
		if retry > 0 {
			wait, timed = retry, true
		}
		trigger, full, ok := c.await(ctx, wait, timed)
		if !ok {
			return
		}
		c.ports.Woken(Sweeper)
		if err := c.resync(ctx, SyncRequest{Full: full, Trigger: trigger}, nil); err != nil && ctx.Err() == nil {
			retry = min(max(2*retry, sweepRetry), backoffMax)
			c.log.Error("sweep", zap.String("trigger", trigger), zap.Duration("retry_in", retry), zap.Error(err))
			continue
		}
		retry = 0
	}
}

// interval is the time to the next sweep; false: only on demand.
func (c *Controller) interval() (time.Duration, bool) {
	o := c.options.Load()
	if o.ResyncInterval == 0 || o.OneShot {
		return 0, false
	}
	jitter := time.Duration(o.ResyncJitter * float64(o.ResyncInterval))
	if jitter > 0 {
		jitter = time.Duration(c.ports.Jitter(int64(jitter)))
	}
	return o.ResyncInterval + jitter, true
}

// await waits for a trigger or for the time; false when ctx ends.
func (c *Controller) await(ctx context.Context, wait time.Duration, timed bool) (trigger string, full, ok bool) {
	var tick <-chan time.Time
	if timed {
		timer := c.ports.Clock.NewTimer(wait)
		defer timer.Stop()
		tick = timer.C()
	}
	select {
	case <-ctx.Done():
		return "", false, false
	case <-tick:
		return "interval", false, true
	case <-c.triggers.wake:
		trigger, full = c.triggers.taken()
		return trigger, full, true
	}
}
