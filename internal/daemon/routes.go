package daemon

import (
	"net/http"
)

// route is one thing that is served. Everything that a server answers is in one
// of the two lists below; api/openapi.yaml is checked against them.
type route struct {
	method, path string
	serve        http.HandlerFunc
}

// listenerRoutes are what the loopback listener serves: nothing but GET.
func (d *Daemon) listenerRoutes() []route {
	routes := []route{
		{http.MethodGet, "/{$}", d.servePage},
		{http.MethodGet, "/metrics", d.parts.metrics.handler().ServeHTTP},
		{http.MethodGet, "/healthz", d.health.serveLive},
		{http.MethodGet, "/readyz", d.health.serveReady},
		{http.MethodGet, "/debug/pprof/", d.pprofHandler().ServeHTTP},
	}
	return append(routes, d.readRoutes("/api")...)
}

// socketRoutes are what the unix socket serves: the same reads, and orders.
func (d *Daemon) socketRoutes() []route {
	routes := append(d.readRoutes(""), d.readRoutes("/api")...)
	return append(routes, d.orderRoutes()...)
}

func (d *Daemon) readRoutes(prefix string) []route {
	return []route{
		{http.MethodGet, prefix + "/v1/status", d.serveStatus},
		{http.MethodGet, prefix + "/v1/agents", d.serveAgents},
		{http.MethodGet, prefix + "/v1/agents/{id}", d.serveAgent},
		{http.MethodGet, prefix + "/v1/problems", d.serveProblems},
		{http.MethodGet, prefix + "/v1/events", d.serveEvents},
		{http.MethodGet, prefix + "/v1/denials", d.serveDenials},
		{http.MethodGet, prefix + "/v1/tombstones", d.serveTombstones},
	}
}

func (d *Daemon) orderRoutes() []route {
	loop := d.parts.loop
	return []route{
		{http.MethodPost, "/v1/sync", d.serveSync},
		{http.MethodPost, "/v1/agents", d.serveRegister},
		{http.MethodPatch, "/v1/agents/{id}", d.serveUpdate},
		{http.MethodDelete, "/v1/agents/{id}", d.serveUnregister},
		{http.MethodPost, "/v1/reissue", atPath(loop.Reissue)},
		{http.MethodPost, "/v1/adopt", atPath(loop.Adopt)},
		{http.MethodPost, "/v1/denials", atPath(loop.Deny)},
		{http.MethodDelete, "/v1/denials", d.serveUndeny},
		{http.MethodPost, "/v1/pause", pausing(loop.Pause, true)},
		{http.MethodPost, "/v1/resume", pausing(loop.Resume, false)},
		{http.MethodPost, "/v1/release", d.serveRelease},
		{http.MethodPost, "/v1/tombstones/{id}/restore", d.serveRestore},
	}
}

func mux(routes []route) *http.ServeMux {
	m := http.NewServeMux()
	for _, r := range routes {
		m.HandleFunc(r.method+" "+r.path, r.serve)
	}
	return m
}
