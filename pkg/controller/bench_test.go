package controller

import (
	"fmt"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/clock"
)

// BenchmarkQueue is the way of ten thousand keys through the queue, in batches.
func BenchmarkQueue(b *testing.B) {
	ids := make([]agent.ID, 10_000)
	for i := range ids {
		ids[i] = agent.ID(fmt.Sprintf("01JBENCH%018d", i))
	}
	q := newQueue(&Ports{Clock: clock.New(), Jitter: func(int64) int64 { return 0 }, Woken: func(Goroutine) {}})
	defer q.ShutDown()
	b.ReportAllocs()
	for b.Loop() {
		for _, id := range ids {
			q.Add(id)
		}
		for left := len(ids); left > 0; {
			batch, _ := q.take()
			for _, id := range batch {
				q.Forget(id)
				q.Done(id)
			}
			left -= len(batch)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ids)), "ns/key")
}
