package sources

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// writePatience is how many times longer than a look a write may take: it syncs
// twice or three times, and a busy disk takes seconds for each. Less, and a
// write that would have succeeded is reported as one whose outcome is not
// known.
const writePatience = 10

// onMount runs work under the guard of the mount that the pulse is on. Where
// the mount does not answer in time, or ctx ends first, the work is left behind
// and the error begins with the doubt.
func onMount[T any](ctx context.Context, g *guard, p *pulse, doubt string, work func() (T, error)) (T, error) {
	var none, result T
	lane, err := g.take(ctx, p.at())
	if err != nil {
		return none, err
	}
	answered := g.watch(ctx, p, func() {
		defer lane.release()
		result, err = work()
	})
	switch {
	case answered:
		return result, err
	case ctx.Err() != nil:
		return none, fmt.Errorf("%s: %w", doubt, ctx.Err())
	}
	return none, fmt.Errorf("%s: %w", doubt, noAnswer(p.at()))
}

// writing is onMount for work that changes the project. It has more time, and
// it is not left at once when ctx ends: whoever is told that it did not happen
// had better be right.
func writing[T any](ctx context.Context, t *Tree, project string, work func(p *pulse) (T, error)) (T, error) {
	if err := ctx.Err(); err != nil {
		var none T
		return none, err
	}
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	whole := context.AfterFunc(ctx, func() { time.AfterFunc(t.guard.timeout, cancel) })
	defer whole()
	p := newPulse(t.mounts.point(project))
	rest := p.keepUp(t.guard.timeout/2, 2*writePatience)
	defer rest()
	doubt := "whether " + project + "/" + manifestPath + " was written is not known"
	return onMount(lasting, t.guard, p, doubt, func() (T, error) { return work(p) })
}

// keepUp beats for work that is in one long call, so many times at most.
func (p *pulse) keepUp(every time.Duration, times int) (stop func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for range times {
			select {
			case <-done:
				return
			case <-tick.C:
				p.beat()
			}
		}
	})
	return func() { close(done); running.Wait() }
}
