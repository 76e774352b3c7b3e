package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/util/workqueue"
)

// queueName is the name of the one queue. A queue without a name has no
// metrics, so it belongs in the config of each of its layers.
const queueName = "agents"

// Workqueue provides the metrics of the queue, under client-go's own names.
// There is one queue: whatever name a layer gives, it reports as queueName.
func (m *Metrics) Workqueue() workqueue.MetricsProvider { return m.queue }

type queueMetrics struct {
	depth, unfinished, longest prometheus.Gauge
	adds, retries              prometheus.Counter
	waited, worked             prometheus.Histogram
}

func newQueueMetrics() *queueMetrics {
	return &queueMetrics{
		depth: prometheus.NewGauge(queueOpts("depth", "Current depth of workqueue")),
		adds: prometheus.NewCounter(prometheus.CounterOpts(queueOpts("adds_total",
			"Total number of adds handled by workqueue"))),
		retries: prometheus.NewCounter(prometheus.CounterOpts(queueOpts("retries_total",
			"Total number of retries handled by workqueue (every timer counts: a grace, too)"))),
		waited: queueHistogram("queue_duration_seconds",
			"How long in seconds an item stays in workqueue before being requested.", 0.01, 1, 30),
		worked: queueHistogram("work_duration_seconds",
			"How long in seconds processing an item from workqueue takes.", 0.01, 0.1, 1),
		unfinished: prometheus.NewGauge(queueOpts("unfinished_work_seconds",
			"How many seconds of work is in progress that work_duration has not observed. Large values mean stuck workers.")),
		longest: prometheus.NewGauge(queueOpts("longest_running_processor_seconds",
			"How many seconds has the longest running processor for workqueue been running.")),
	}
}

func queueOpts(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{
		Subsystem: "workqueue", Name: name, Help: help,
		ConstLabels: prometheus.Labels{"name": queueName},
	}
}

func queueHistogram(name, help string, buckets ...float64) prometheus.Histogram {
	o := queueOpts(name, help)
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Subsystem: o.Subsystem, Name: o.Name, Help: o.Help, ConstLabels: o.ConstLabels, Buckets: buckets,
	})
}

func (q *queueMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{q.depth, q.adds, q.retries, q.waited, q.worked, q.unfinished, q.longest}
}

// Describe implements prometheus.Collector.
func (q *queueMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range q.collectors() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (q *queueMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range q.collectors() {
		c.Collect(ch)
	}
}

// The methods of workqueue.MetricsProvider.

func (q *queueMetrics) NewDepthMetric(string) workqueue.GaugeMetric            { return q.depth }
func (q *queueMetrics) NewAddsMetric(string) workqueue.CounterMetric           { return q.adds }
func (q *queueMetrics) NewRetriesMetric(string) workqueue.CounterMetric        { return q.retries }
func (q *queueMetrics) NewLatencyMetric(string) workqueue.HistogramMetric      { return q.waited }
func (q *queueMetrics) NewWorkDurationMetric(string) workqueue.HistogramMetric { return q.worked }

func (q *queueMetrics) NewUnfinishedWorkSecondsMetric(string) workqueue.SettableGaugeMetric {
	return q.unfinished
}

func (q *queueMetrics) NewLongestRunningProcessorSecondsMetric(string) workqueue.SettableGaugeMetric {
	return q.longest
}
