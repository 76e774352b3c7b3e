package sources

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// lanes is how many probes may be under way on one mount. Each of them holds a
// thread while the mount hangs; with one lane a slow answer would hold up the
// other worker.
const lanes = 2

// leaveWithin is how long work that was told to stop is waited for.
const leaveWithin = 100 * time.Millisecond

// guard keeps a mount that hangs from taking more than its share of threads
// and anybody else's time.
type guard struct {
	timeout time.Duration

	mu     sync.Mutex
	mounts map[string]*bulkhead
}

// bulkhead is the state of one mount, by its mount point.
type bulkhead struct {
	slots chan struct{} // probes under way
	stuck atomic.Int32  // probes and walks left behind
}

func newGuard(timeout time.Duration) *guard {
	return &guard{timeout: timeout, mounts: make(map[string]*bulkhead)}
}

func (g *guard) bulkhead(point string) *bulkhead {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.mounts[point]
	if b == nil {
		b = &bulkhead{slots: make(chan struct{}, lanes)}
		g.mounts[point] = b
	}
	return b
}

// hangs reports whether work was left behind on the mount and has not returned.
func (g *guard) hangs(point string) bool { return g.bulkhead(point).stuck.Load() > 0 }

// take waits for a lane on the mount, which release gives back. When
// everything under way there is overdue it does not wait.
func (g *guard) take(ctx context.Context, point string) (*bulkhead, error) {
	b := g.bulkhead(point)
	if b.stuck.Load() >= lanes {
		return nil, noAnswer(point)
	}
	select {
	case b.slots <- struct{}{}:
		return b, nil
	default:
	}
	timer := time.NewTimer(g.timeout)
	defer timer.Stop()
	select {
	case b.slots <- struct{}{}:
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, noAnswer(point)
	}
}

func (b *bulkhead) release() { <-b.slots }

func noAnswer(point string) error { return fmt.Errorf("mount %s does not answer", point) }

// watch runs work in a goroutine of its own and waits until it has returned.
// It returns false when the work showed no sign of life for the timeout (at
// most twice the timeout after the last one), or did not stop when ctx ended:
// then the goroutine is left behind, its mount is marked until it returns, and
// whatever the work writes to must not be touched again. A panic of the work
// goes on in the caller.
func (g *guard) watch(ctx context.Context, p *pulse, work func()) bool {
	go p.run(work)
	p.timer.Reset(g.timeout)
	defer p.timer.Stop()
	ended, last := ctx.Done(), p.beats.Load()
	for {
		select {
		case caught := <-p.done:
			if caught != nil {
				panic(caught.String())
			}
			return true
		case <-ended:
			p.stop.Store(true)
			ended = nil
			p.timer.Reset(min(g.timeout, leaveWithin))
		case <-p.timer.C:
			if beats := p.beats.Load(); beats != last && ended != nil {
				last = beats
				p.timer.Reset(g.timeout)
				continue
			}
			p.abandon(g)
			return false
		}
	}
}

type workPanic struct {
	value any
	stack []byte
}

func (p *workPanic) String() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

// pulse is how watched work shows that it makes progress, where, and that it
// is done. It serves one work after the other until one is left behind.
type pulse struct {
	beats atomic.Uint64
	stop  atomic.Bool
	done  chan *workPanic
	timer *time.Timer

	mu    sync.Mutex
	point string    // the mount that is being touched
	left  *bulkhead // where the work was left behind
	over  bool      // the work has returned
}

func newPulse(point string) *pulse {
	p := &pulse{point: point, done: make(chan *workPanic, 1), timer: time.NewTimer(time.Hour)}
	p.timer.Stop()
	return p
}

// again readies the pulse for other work.
func (p *pulse) again(point string) {
	p.stop.Store(false)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.point, p.over = point, false
}

// run does the work. Once done is told, nothing of the pulse is touched.
func (p *pulse) run(work func()) {
	var caught *workPanic
	defer func() {
		p.returned()
		p.done <- caught
	}()
	defer func() {
		if v := recover(); v != nil {
			caught = &workPanic{v, debug.Stack()}
		}
	}()
	work()
}

func (p *pulse) beat()         { p.beats.Add(1) }
func (p *pulse) stopped() bool { return p.stop.Load() }

// enter says that another mount is about to be touched and returns the last.
func (p *pulse) enter(point string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.point
	p.point = point
	return last
}

// at is the mount that is being touched.
func (p *pulse) at() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.point
}

// abandon marks the mount that does not answer until the work returns.
func (p *pulse) abandon(g *guard) {
	p.stop.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.left = g.bulkhead(p.point)
	p.left.stuck.Add(1)
}

func (p *pulse) returned() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	if p.left != nil {
		p.left.stuck.Add(-1)
	}
}
