package controller

import (
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Backoff of a key that failed. A smaller base would hammer a database that is
// locked, a larger one would let a user wait after a hiccup.
const (
	backoffBase     = time.Second
	backoffMax      = 5 * time.Minute
	relayBackoffMax = time.Minute
)

// batchSize bounds the keys that a worker takes at once. The index ends a
// transaction earlier where it takes long, so that a DorkOS beside us does not
// stall.
const batchSize = 200

// backoff is an exponential limiter per key, with jitter: without it, all keys
// of an outage would come back in lock step. The stock limiter's bucket for
// everybody is left out on purpose: it would let the last of 10,000 keys wait
// a quarter of an hour.
type backoff struct {
	jitter func(n int64) int64

	mu       sync.Mutex
	failures map[agent.ID]int
	relay    map[agent.ID]bool
}

func newBackoff(jitter func(n int64) int64) *backoff {
	return &backoff{jitter: jitter, failures: map[agent.ID]int{}, relay: map[agent.ID]bool{}}
}

var _ workqueue.TypedRateLimiter[agent.ID] = (*backoff)(nil)

// When is the next delay of a key: doubling from backoffBase, up to a quarter
// more.
func (b *backoff) When(id agent.ID) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.failures[id]
	b.failures[id] = n + 1
	limit := backoffMax
	if b.relay[id] {
		limit = relayBackoffMax
	}
	d := limit
	if n < 20 {
		d = min(backoffBase<<n, limit)
	}
	return min(d+time.Duration(b.jitter(int64(d)/4)), limit)
}

// Forget starts the key at the beginning again.
func (b *backoff) Forget(id agent.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.failures, id)
	delete(b.relay, id)
}

// NumRequeues is how often the key failed in a row.
func (b *backoff) NumRequeues(id agent.ID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures[id]
}

// blameRelay keeps the delays of a key within a minute: what failed is the
// relay, and mail waits for it.
func (b *backoff) blameRelay(id agent.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.relay[id] = true
}

// queue is the workqueue of ids with batches.
type queue struct {
	workqueue.TypedRateLimitingInterface[agent.ID]
	backoff *backoff
	// taking lets one worker at a time collect a batch, so that a length that
	// it sees is there for it. A channel: the others wait for as long as nothing
	// is to do.
	taking chan struct{}
	woken  func(Goroutine)
}

func newQueue(p *Ports) *queue {
	c, provider := calmClock{p.Clock}, p.Queue
	b := newBackoff(p.Jitter)
	const name = "agents"
	q := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[agent.ID]{Name: name, MetricsProvider: provider, Clock: c})
	delaying := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[agent.ID]{
		Name: name, MetricsProvider: provider, Clock: c, Queue: q,
	})
	return &queue{
		TypedRateLimitingInterface: workqueue.NewTypedRateLimitingQueueWithConfig(b, workqueue.TypedRateLimitingQueueConfig[agent.ID]{
			Name: name, MetricsProvider: provider, Clock: c, DelayingQueue: delaying,
		}),
		backoff: b,
		taking:  make(chan struct{}, 1),
		woken:   p.Woken,
	}
}

// calmClock ticks no more often than every ten seconds. The workqueue refreshes
// two gauges of its own, of work that takes long, twice a second: it would be
// most of what an idle process does.
type calmClock struct{ Clock }

func (c calmClock) NewTicker(d time.Duration) clock.Ticker {
	return c.Clock.NewTicker(max(d, 10*time.Second))
}

// take waits for a key and takes what else is ready, up to batchSize.
func (q *queue) take() (batch []agent.ID, shutdown bool) {
	q.taking <- struct{}{}
	defer func() { <-q.taking }()
	id, shutdown := q.Get()
	if shutdown {
		return nil, true
	}
	q.woken(Worker)
	batch = append(batch, id)
	for len(batch) < batchSize && q.Len() > 0 && !q.ShuttingDown() {
		id, shutdown = q.Get()
		if shutdown {
			break
		}
		batch = append(batch, id)
	}
	return batch, false
}
