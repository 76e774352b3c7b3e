package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// Handler serves the exposition, OpenMetrics where the scraper asks for it.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.gatherer(), promhttp.HandlerOpts{EnableOpenMetrics: true})
}

func (m *Metrics) gatherer() prometheus.Gatherer {
	process := prometheus.NewRegistry()
	process.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return prometheus.Gatherers{m.registry, only(process, runtimeFamilies())}
}

// runtimeFamilies are what is kept of the runtime's own metrics, which would
// be fifty series otherwise: enough to see a leak of goroutines, threads, file
// descriptors or memory, a busy loop, and a restart.
func runtimeFamilies() map[string]bool {
	return map[string]bool{
		"go_info":                       true,
		"go_goroutines":                 true,
		"go_threads":                    true,
		"go_memstats_heap_alloc_bytes":  true,
		"process_cpu_seconds_total":     true,
		"process_open_fds":              true,
		"process_max_fds":               true,
		"process_resident_memory_bytes": true,
		"process_start_time_seconds":    true,
	}
}

// only gathers the named families and drops the rest.
func only(g prometheus.Gatherer, names map[string]bool) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		all, err := g.Gather()
		kept := all[:0]
		for _, f := range all {
			if names[f.GetName()] {
				kept = append(kept, f)
			}
		}
		return kept, err
	})
}
