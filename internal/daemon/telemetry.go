package daemon

import (
	"net/http"
	"sync"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/metrics"
)

// telemetry is the exposition that also remembers how things stood last, for
// the status line and the API: neither has to ask the index.
type telemetry struct {
	*metrics.Metrics

	mu     sync.Mutex
	gauges agent.Gauges
	sweep  agent.SweepStats
}

func newTelemetry(b Build) *telemetry {
	return &telemetry{Metrics: metrics.New(metrics.Build{Version: b.Version, Commit: b.Commit})}
}

// Swept remembers the sweep that ended last.
func (t *telemetry) Swept(s agent.SweepStats) {
	t.mu.Lock()
	t.sweep = s
	t.mu.Unlock()
	t.Metrics.Swept(s)
}

// State remembers how things stand.
func (t *telemetry) State(g agent.Gauges) {
	t.mu.Lock()
	t.gauges = g
	t.mu.Unlock()
	t.Metrics.State(g)
}

func (t *telemetry) last() (agent.Gauges, agent.SweepStats) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.gauges, t.sweep
}

func (t *telemetry) handler() http.Handler { return t.Metrics.Handler() }
