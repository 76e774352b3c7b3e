package metrics

import (
	"runtime"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

func opts(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts(opts(name, help)), labels)
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(opts(name, help), labels)
}

// histogram has few buckets on purpose: each is a series, and the whole
// exposition may have 200.
func histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
}

func buildInfo(b Build) prometheus.Collector {
	o := opts("build_info", "1, with the build that is running in its labels.")
	o.ConstLabels = prometheus.Labels{
		"version":   strings.ToValidUTF8(b.Version, "?"),
		"revision":  strings.ToValidUTF8(b.Commit, "?"),
		"goversion": runtime.Version(),
	}
	g := prometheus.NewGauge(o)
	g.Set(1)
	return g
}
