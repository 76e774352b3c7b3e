package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Each case calls one method and names every series that moves, and no other.
func TestWhatMoves(t *testing.T) {
	ended := time.Date(2026, 3, 1, 12, 0, 0, 500e6, time.UTC)
	cases := []struct {
		name string
		call func(m *Metrics)
		want string
	}{
		{"reconciled", func(m *Metrics) { m.Reconciled("requeue", 5*time.Millisecond) }, `
mesh_controller_reconcile_duration_seconds_bucket{le="0.01"} 1
mesh_controller_reconcile_duration_seconds_bucket{le="0.1"} 1
mesh_controller_reconcile_duration_seconds_bucket{le="1"} 1
mesh_controller_reconcile_duration_seconds_bucket{le="+Inf"} 1
mesh_controller_reconcile_duration_seconds_sum 0.005
mesh_controller_reconcile_duration_seconds_count 1
mesh_controller_reconcile_total{result="requeue"} 1`},
		{"converged", func(m *Metrics) { m.Converged(5 * time.Minute) }, `
mesh_controller_convergence_lag_seconds_bucket{le="300"} 1
mesh_controller_convergence_lag_seconds_bucket{le="+Inf"} 1
mesh_controller_convergence_lag_seconds_sum 300
mesh_controller_convergence_lag_seconds_count 1`},
		{"drift detected", func(m *Metrics) { m.DriftDetected("field", "file") }, `
mesh_controller_drift_detected_total{cause="file",kind="field"} 1`},
		{"drift corrected", func(m *Metrics) { m.DriftCorrected("rules", "relay") }, `
mesh_controller_drift_corrected_total{cause="relay",kind="rules"} 1`},
		{"action", func(m *Metrics) { m.Action("relocateRow", "conflict") }, `
mesh_controller_actions_total{action="relocateRow",result="conflict"} 1`},
		{"deferred action", func(m *Metrics) { m.Action("moveMail", "deferred") }, `
mesh_controller_actions_total{action="moveMail",result="deferred"} 1`},
		{"removed", func(m *Metrics) { m.Removed(agent.VolumeMissing) }, `
mesh_controller_removals_total{reason="VolumeMissing"} 1`},
		{"index error", func(m *Metrics) { m.IndexError("commit") }, `
mesh_controller_index_errors_total{op="commit"} 1`},
		{"index errors of one op", func(m *Metrics) { m.IndexError("record"); m.IndexError("left") }, `
mesh_controller_index_errors_total{op="commit"} 2`},
		{"relay error of a look", func(m *Metrics) { m.RelayError("occupied") }, `
mesh_controller_relay_errors_total{op="read"} 1`},
		{"relay error", func(m *Metrics) { m.RelayError("list") }, `
mesh_controller_relay_errors_total{op="list"} 1`},
		{"relay error of an action", func(m *Metrics) { m.RelayError("removeEndpoint") }, `
mesh_controller_relay_errors_total{op="endpoint"} 1`},
		{"sweep", func(m *Metrics) {
			m.Swept(agent.SweepStats{
				Trigger: "interval", Result: "ok", Ended: ended, Duration: 2 * time.Second, Stats: 50, Reads: 4,
				Complete: map[string]bool{"files": true, "index": true, "relay": false},
			})
		}, `
mesh_controller_source_complete{source="files"} 1
mesh_controller_source_complete{source="index"} 1
mesh_controller_sweep_duration_seconds_bucket{le="10"} 1
mesh_controller_sweep_duration_seconds_bucket{le="60"} 1
mesh_controller_sweep_duration_seconds_bucket{le="+Inf"} 1
mesh_controller_sweep_duration_seconds_sum 2
mesh_controller_sweep_duration_seconds_count 1
mesh_controller_sweep_files{outcome="read"} 4
mesh_controller_sweep_files{outcome="stat"} 50
mesh_controller_sweep_last_success_timestamp_seconds 1.7723664005e+09
mesh_controller_sweeps_total{result="ok",trigger="interval"} 1`},
		{"a sweep that failed is no success", func(m *Metrics) {
			m.Swept(agent.SweepStats{Trigger: "startup", Result: "incomplete", Ended: ended})
		}, `
mesh_controller_sweep_duration_seconds_bucket{le="0.1"} 1
mesh_controller_sweep_duration_seconds_bucket{le="1"} 1
mesh_controller_sweep_duration_seconds_bucket{le="10"} 1
mesh_controller_sweep_duration_seconds_bucket{le="60"} 1
mesh_controller_sweep_duration_seconds_bucket{le="+Inf"} 1
mesh_controller_sweep_duration_seconds_count 1
mesh_controller_sweeps_total{result="incomplete",trigger="startup"} 1`},
		{"state", func(m *Metrics) {
			m.State(agent.Gauges{
				Active: 1, Unreachable: 2, Unconverged: 3, Invalid: 4, Unreadable: 5, Duplicate: 6, Denied: 7,
				InGrace: 8, Held: 12, NextRemoval: ended, RelayDegraded: true, RelayDeferred: 9, Parked: 10,
				Quarantined: 11, Paused: true,
				HeldBy: map[agent.Reason]int{
					agent.VolumeMissing: 3, agent.MassMissing: 4, agent.Settling: 1, agent.IncompleteListing: 2,
					agent.Paused: 2, // not a hold of its own
				},
			})
		}, `
mesh_controller_agents{status="active"} 1
mesh_controller_agents{status="unreachable"} 2
mesh_controller_manifest_problems{kind="denied"} 7
mesh_controller_manifest_problems{kind="duplicate"} 6
mesh_controller_manifest_problems{kind="invalid"} 4
mesh_controller_manifest_problems{kind="unreadable"} 5
mesh_controller_orphan_next_removal_timestamp_seconds 1.7723664005e+09
mesh_controller_orphans{state="grace"} 8
mesh_controller_orphans{state="held"} 12
mesh_controller_orphans_held{reason="incomplete"} 4
mesh_controller_orphans_held{reason="mass_missing"} 4
mesh_controller_orphans_held{reason="settling"} 1
mesh_controller_orphans_held{reason="volume_missing"} 3
mesh_controller_paused 1
mesh_controller_quarantined_agents 11
mesh_controller_queue_parked 10
mesh_controller_relay_deferred 9
mesh_controller_relay_degraded 1
mesh_controller_unconverged_agents 3`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := New(Build{})
			before := samples(scrape(t, m))
			c.call(m)
			var moved []string
			for _, line := range samples(scrape(t, m)) {
				if !contains(before, line) && !runtimeLine(line) {
					moved = append(moved, line)
				}
			}
			if diff := cmp.Diff(strings.Split(strings.TrimSpace(c.want), "\n"), moved); diff != "" {
				t.Errorf("series that moved (-want +got):\n%s", diff)
			}
		})
	}
}

// A word that no set knows is counted under the fallback: it makes neither a
// series nor a panic, whatever bytes it has.
func TestUnknownWordsFallBack(t *testing.T) {
	for _, word := range []string{"", "nonsense", "a\xff\xfeb", "OK", strings.Repeat("x", 1<<16), "a\nb\"c"} {
		m := New(Build{Version: word, Commit: word})
		before := len(samples(scrape(t, m)))
		m.Reconciled(word, 0)
		m.DriftDetected(word, word)
		m.DriftCorrected(word, word)
		m.Action(word, word)
		m.Action("ensureRules", "deferred")
		m.Action("ensureRules", "conflict")
		m.Removed(agent.Reason(word))
		m.IndexError(word)
		m.RelayError(word)
		m.Swept(agent.SweepStats{Trigger: word, Result: word, Complete: map[string]bool{word: true}})
		m.State(agent.Gauges{HeldBy: map[agent.Reason]int{agent.Reason(word): 2}})

		got := scrape(t, m)
		if n := len(samples(got)); n != before {
			t.Errorf("%.20q: %d series became %d", word, before, n)
		}
		for _, want := range []string{
			`mesh_controller_reconcile_total{result="error"} 1`,
			`mesh_controller_drift_detected_total{cause="unknown",kind="row"} 1`,
			`mesh_controller_drift_corrected_total{cause="unknown",kind="row"} 1`,
			`mesh_controller_actions_total{action="other",result="error"} 1`,
			`mesh_controller_actions_total{action="ensureRules",result="error"} 2`,
			`mesh_controller_removals_total{reason="Removed"} 1`,
			`mesh_controller_index_errors_total{op="other"} 1`,
			`mesh_controller_relay_errors_total{op="other"} 1`,
			`mesh_controller_sweeps_total{result="error",trigger="api"} 1`,
			`mesh_controller_orphans_held{reason="incomplete"} 2`,
		} {
			if !contains(samples(got), want) {
				t.Errorf("%.20q: no line %s", word, want)
			}
		}
	}
}

// The map in agent.Gauges stays its owner's.
func TestStateKeepsNoMap(t *testing.T) {
	m := New(Build{})
	held := map[agent.Reason]int{agent.MassMissing: 5}
	m.State(agent.Gauges{HeldBy: held})
	held[agent.MassMissing] = 99
	if got := scrape(t, m); !contains(samples(got), `mesh_controller_orphans_held{reason="mass_missing"} 5`) {
		t.Error("a later write to the caller's map changed the gauge")
	}
}

// Two controllers in one process (as in a test) share nothing.
func TestNoGlobalRegistry(t *testing.T) {
	a, b := New(Build{}), New(Build{})
	a.IndexError("list")
	if got := testutil.ToFloat64(b.indexErrors.WithLabelValues("list")); got != 0 {
		t.Errorf("the other instance counted %v", got)
	}
}
