package metrics

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// The real queue, all layers of it, reports under the upstream names.
func TestWorkqueueReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Build{})
		q := workqueue.NewTypedRateLimitingQueueWithConfig(
			workqueue.NewTypedItemExponentialFailureRateLimiter[agent.ID](time.Second, time.Minute),
			workqueue.TypedRateLimitingQueueConfig[agent.ID]{
				Name: queueName, MetricsProvider: m.Workqueue(),
				DelayingQueue: workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[agent.ID]{
					Name: queueName, MetricsProvider: m.Workqueue(),
					Queue: workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[agent.ID]{
						Name: queueName, MetricsProvider: m.Workqueue(),
					}),
				}),
			})
		defer q.ShutDown()
		q.Add("a")
		q.Add("b")
		id, _ := q.Get()
		time.Sleep(20 * time.Millisecond)
		q.AddRateLimited(id)
		q.Done(id)

		got := samples(scrape(t, m))
		for _, want := range []string{
			`workqueue_adds_total{name="agents"} 2`,
			`workqueue_depth{name="agents"} 1`,
			`workqueue_retries_total{name="agents"} 1`,
			`workqueue_queue_duration_seconds_count{name="agents"} 1`,
			`workqueue_work_duration_seconds_bucket{name="agents",le="0.1"} 1`,
			`workqueue_work_duration_seconds_count{name="agents"} 1`,
		} {
			if !contains(got, want) {
				t.Errorf("no line %s", want)
			}
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	m := New(Build{})
	const workers, rounds = 8, 200
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				m.Reconciled("ok", time.Millisecond)
				m.Converged(time.Second)
				m.DriftDetected("field", "file")
				m.DriftCorrected("field", "file")
				m.Action("updateRow", "ok")
				m.Removed(agent.PathMissing)
				m.IndexError("list")
				m.RelayError("list")
				m.Swept(agent.SweepStats{Trigger: "interval", Result: "ok"})
				m.State(agent.Gauges{InGrace: 1, Held: 1, HeldBy: map[agent.Reason]int{agent.Settling: 1}})
			}
		})
	}
	for range 20 {
		scrape(t, m)
	}
	wg.Wait()
	if !contains(samples(scrape(t, m)), `mesh_controller_reconcile_total{result="ok"} 1600`) {
		t.Error("calls were lost")
	}
}
