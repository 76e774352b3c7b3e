package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

const namespace = "mesh_controller"

// Build says which build is running; it becomes build_info.
type Build struct {
	Version string // as git describe prints it
	Commit  string // "" where it is not known
}

// Metrics counts what the controller tells it. Every method may be called from
// any goroutine.
type Metrics struct {
	registry *prometheus.Registry
	queue    *queueMetrics
	state    *stateCollector

	driftDetected, driftCorrected *prometheus.CounterVec
	lag                           prometheus.Histogram
	reconciles, actions, removals *prometheus.CounterVec
	reconcileDuration             prometheus.Histogram
	sweeps                        *prometheus.CounterVec
	sweepDuration                 prometheus.Histogram
	lastSuccess                   prometheus.Gauge
	sweepFiles, complete          *prometheus.GaugeVec
	indexErrors, relayErrors      *prometheus.CounterVec
}

// New returns metrics with every series at zero.
func New(b Build) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		queue:    newQueueMetrics(),
		state:    newStateCollector(),

		driftDetected: counters("drift_detected_total", "Differences found, by what differed and by who moved it.", "kind", "cause"),
		driftCorrected: counters("drift_corrected_total",
			"Differences proven gone, by what differed and by who moved it.", "kind", "cause"),
		lag: histogram("convergence_lag_seconds",
			"Time from when a key was first seen to differ until it was proven converged.", 0.1, 1, 10, 60, 300),
		reconciles:        counters("reconcile_total", "Handlings of a key that ended, by result.", "result"),
		reconcileDuration: histogram("reconcile_duration_seconds", "Time that one handling of a key took.", 0.001, 0.01, 0.1, 1),
		actions:           counters("actions_total", "Actions of plans that ended, by type and result.", "action", "result"),
		removals:          counters("removals_total", "Agents removed from the index, by the evidence.", "reason"),
		sweeps:            counters("sweeps_total", "Sweeps that ended, by trigger and result.", "trigger", "result"),
		sweepDuration:     histogram("sweep_duration_seconds", "Time that a sweep took.", 0.1, 1, 10, 60),
		lastSuccess: prometheus.NewGauge(opts("sweep_last_success_timestamp_seconds",
			"When the last sweep with result ok ended, in seconds since 1970; 0 before the first.")),
		sweepFiles: gauges("sweep_files", "Manifests that the last sweep looked at (stat) and read (read).", "outcome"),
		complete: gauges("source_complete",
			"1 if the last sweep's listing of the source was complete; nothing is removed on an incomplete one.", "source"),
		indexErrors: counters("index_errors_total", "Calls to the index that it did not answer, by operation.", "op"),
		relayErrors: counters("relay_errors_total", "Calls to the relay that it did not answer, by operation.", "op"),
	}
	m.zero()
	m.registry.MustRegister(m.driftDetected, m.driftCorrected, m.lag, m.reconciles, m.reconcileDuration,
		m.actions, m.removals, m.sweeps, m.sweepDuration, m.lastSuccess, m.sweepFiles, m.complete,
		m.indexErrors, m.relayErrors, m.state, m.queue, buildInfo(b))
	return m
}

// zero makes every series exist.
func (m *Metrics) zero() {
	for _, kind := range driftKinds() {
		for _, cause := range driftCauses() {
			m.driftDetected.WithLabelValues(kind, cause)
			m.driftCorrected.WithLabelValues(kind, cause)
		}
	}
	for _, action := range Actions() {
		for _, result := range actionResults(action) {
			m.actions.WithLabelValues(action, result)
		}
	}
	for _, trigger := range sweepTriggers() {
		for _, result := range sweepResults() {
			m.sweeps.WithLabelValues(trigger, result)
		}
	}
	each(reconcileResults(), m.reconciles)
	each(removalReasons(), m.removals)
	each(indexOps(), m.indexErrors)
	each(relayOps(), m.relayErrors)
	each(sources(), m.complete)
	each(set{"stat", "read"}, m.sweepFiles)
}

func each[M any, V interface{ WithLabelValues(...string) M }](s set, v V) {
	for _, word := range s {
		v.WithLabelValues(word)
	}
}

// Reconciled ends one handling of a key: ok, error, requeue, panic, timeout.
func (m *Metrics) Reconciled(result string, d time.Duration) {
	m.reconciles.WithLabelValues(reconcileResults().of(result)).Inc()
	m.reconcileDuration.Observe(d.Seconds())
}

// Converged is called when a key that differed is proven converged.
func (m *Metrics) Converged(lag time.Duration) { m.lag.Observe(lag.Seconds()) }

// DriftDetected counts a difference: kind row, field, path, namespace, endpoint
// or rules; cause file, index, relay or unknown.
func (m *Metrics) DriftDetected(kind, cause string) {
	m.driftDetected.WithLabelValues(driftKinds().of(kind), driftCauses().of(cause)).Inc()
}

// DriftCorrected counts a difference that is proven gone.
func (m *Metrics) DriftCorrected(kind, cause string) {
	m.driftCorrected.WithLabelValues(driftKinds().of(kind), driftCauses().of(cause)).Inc()
}

// Action ends one action of a plan: ok, error, conflict or deferred.
func (m *Metrics) Action(action, result string) {
	action = set(Actions()).of(action)
	m.actions.WithLabelValues(action, actionResults(action).of(result)).Inc()
}

// Removed counts a removal by its evidence.
func (m *Metrics) Removed(reason agent.Reason) {
	m.removals.WithLabelValues(removalReasons().of(string(reason))).Inc()
}

// IndexError counts a failed call to the index, by what the controller was at.
func (m *Metrics) IndexError(op string) { m.indexErrors.WithLabelValues(indexOp(op)).Inc() }

// RelayError counts a failed call to the relay, by what the controller was at
// or the type of the action that failed.
func (m *Metrics) RelayError(op string) { m.relayErrors.WithLabelValues(relayOp(op)).Inc() }

// Swept ends a sweep.
func (m *Metrics) Swept(s agent.SweepStats) {
	m.sweeps.WithLabelValues(sweepTriggers().of(s.Trigger), sweepResults().of(s.Result)).Inc()
	m.sweepDuration.Observe(s.Duration.Seconds())
	m.sweepFiles.WithLabelValues("stat").Set(float64(s.Stats))
	m.sweepFiles.WithLabelValues("read").Set(float64(s.Reads))
	for _, source := range sources() {
		m.complete.WithLabelValues(source).Set(one(s.Complete[source]))
	}
	if s.Result == "ok" {
		m.lastSuccess.Set(seconds(s.Ended))
	}
}

// State replaces every gauge at once: a scrape sees the old state or the new
// one, never a mixture.
func (m *Metrics) State(g agent.Gauges) { m.state.set(g) }

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// seconds since 1970; the zero time is 0.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1e3
}
