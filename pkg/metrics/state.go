package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// stateCollector exposes the last agent.Gauges that it was given.
type stateCollector struct {
	gauges []stateGauge
	last   atomic.Pointer[state]
}

// state is agent.Gauges without the map, which stays its owner's.
type state struct {
	agent.Gauges
	held [numHolds]int
}

type stateGauge struct {
	desc   *prometheus.Desc
	values []stateValue
}

// stateValue is one series of a gauge; label is "" where it has none.
type stateValue struct {
	label string
	of    func(*state) float64
}

func newStateCollector() *stateCollector {
	c := &stateCollector{gauges: stateGauges()}
	c.last.Store(&state{})
	return c
}

func stateGauges() []stateGauge {
	return []stateGauge{
		labelled("agents", "Agents in the index, by status.", "status",
			count(agent.Active, func(s *state) int { return s.Active }),
			count(agent.Unreachable, func(s *state) int { return s.Unreachable })),
		labelled("manifest_problems", "Manifests that are refused or could not be read, by kind.", "kind",
			count("invalid", func(s *state) int { return s.Invalid }),
			count("unreadable", func(s *state) int { return s.Unreadable }),
			count("duplicate", func(s *state) int { return s.Duplicate }),
			count("denied", func(s *state) int { return s.Denied })),
		labelled("orphans", "Agents whose manifest is gone: within their grace, or held.", "state",
			count("grace", func(s *state) int { return s.InGrace }),
			count("held", func(s *state) int { return s.Held })),
		labelled("orphans_held", "Held orphans, by what keeps them.", "reason", heldBy()...),
		single("unconverged_agents", "Agents that differ, or could not be looked at, and are to be retried.",
			func(s *state) float64 { return float64(s.Unconverged) }),
		single("orphan_next_removal_timestamp_seconds", "When the next removal is due, in seconds since 1970; 0 if none is.",
			func(s *state) float64 { return seconds(s.NextRemoval) }),
		single("relay_degraded", "1 while the relay's rules cannot be read: agents converge in the index only.",
			func(s *state) float64 { return one(s.RelayDegraded) }),
		single("relay_deferred", "Steps that wait until a running DorkOS has stopped or was started anew.",
			func(s *state) float64 { return float64(s.RelayDeferred) }),
		single("queue_parked", "Keys that wait for a time: backoff, grace or settle.",
			func(s *state) float64 { return float64(s.Parked) }),
		single("quarantined_agents", "Keys left alone after five panics, until their evidence changes or a forced resync.",
			func(s *state) float64 { return float64(s.Quarantined) }),
		single("paused", "1 while an operator has switched convergence off.",
			func(s *state) float64 { return one(s.Paused) }),
	}
}

func heldBy() []stateValue {
	var values []stateValue
	for h := range numHolds {
		values = append(values, count(h.String(), func(s *state) int { return s.held[h] }))
	}
	return values
}

func labelled(name, help, label string, values ...stateValue) stateGauge {
	return stateGauge{prometheus.NewDesc(namespace+"_"+name, help, []string{label}, nil), values}
}

func single(name, help string, of func(*state) float64) stateGauge {
	return stateGauge{prometheus.NewDesc(namespace+"_"+name, help, nil, nil), []stateValue{{of: of}}}
}

func count(label string, of func(*state) int) stateValue {
	return stateValue{label, func(s *state) float64 { return float64(of(s)) }}
}

func (c *stateCollector) set(g agent.Gauges) {
	s := &state{Gauges: g}
	s.HeldBy = nil
	for reason, n := range g.HeldBy {
		s.held[holdOf(reason)] += n
	}
	c.last.Store(s)
}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, g := range c.gauges {
		ch <- g.desc
	}
}

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.last.Load()
	for _, g := range c.gauges {
		for _, v := range g.values {
			var labels []string
			if v.label != "" {
				labels = []string{v.label}
			}
			ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, v.of(s), labels...)
		}
	}
}
