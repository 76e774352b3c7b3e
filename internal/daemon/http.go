package daemon

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// Bounds of the servers: a client that dawdles must not hold a connection.
const (
	headerWithin = 5 * time.Second
	idleWithin   = 2 * time.Minute
)

// listenerHandler is what the loopback listener serves.
func (d *Daemon) listenerHandler(loopbackOnly bool) http.Handler {
	handler := readOnly(mux(d.listenerRoutes()))
	if loopbackOnly {
		handler = loopbackHost(handler)
	}
	return handler
}

// socketHandler is what the unix socket serves.
func (d *Daemon) socketHandler() http.Handler { return mux(d.socketRoutes()) }

func (d *Daemon) servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	fmt.Fprintf(w, "<!doctype html><title>mesh-controller</title><p>mesh-controller: %s. ", d.Status().line())
	for _, link := range []string{"/metrics", "/healthz", "/readyz?verbose", "/api/v1/agents", "/api/v1/problems", "/api/v1/events", "/api/v1/status"} {
		fmt.Fprintf(w, "<a href=%q>%s</a> ", link, link)
	}
	fmt.Fprintln(w)
}

func (d *Daemon) serveStatus(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, d.Status())
}

func (d *Daemon) serveAgents(w http.ResponseWriter, r *http.Request) {
	result, err := d.parts.loop.Agents(r.Context())
	answer(w, http.StatusOK, result, err)
}

func (d *Daemon) serveDenials(w http.ResponseWriter, r *http.Request) {
	result, err := d.parts.loop.Denials(r.Context())
	answer(w, http.StatusOK, result, err)
}

func (d *Daemon) serveTombstones(w http.ResponseWriter, r *http.Request) {
	result, err := d.parts.loop.Tombstones(r.Context())
	answer(w, http.StatusOK, result, err)
}

func (d *Daemon) serveAgent(w http.ResponseWriter, r *http.Request) {
	result, err := d.parts.loop.Agents(r.Context())
	if err != nil {
		writeFailure(w, err)
		return
	}
	for _, a := range result.Agents {
		if string(a.ID) == r.PathValue("id") {
			writeJSON(w, http.StatusOK, a)
			return
		}
	}
	writeFailure(w, fmt.Errorf("agent %q: %w", r.PathValue("id"), controller.ErrNotFound))
}

func (d *Daemon) serveProblems(w http.ResponseWriter, r *http.Request) {
	result, err := d.parts.loop.Agents(r.Context())
	if err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		APIVersion string                     `json:"apiVersion"`
		Problems   []controller.ProblemStatus `json:"problems"`
	}{result.APIVersion, result.Problems})
}

// EventsResult is what the API and `events -o json` print, oldest first.
type EventsResult struct {
	APIVersion string                 `json:"apiVersion"`
	Events     []controller.EventView `json:"events"`
}

// defaultEvents is how many events are shown when nobody asks for a number.
const defaultEvents = 200

func (d *Daemon) serveEvents(w http.ResponseWriter, r *http.Request) {
	f, err := eventFilter(r)
	if err != nil {
		writeError(w, http.StatusBadRequest, codeUsage, err.Error(), "as in /api/v1/events?id=ID&since=2026-01-31T00:00:00Z&limit=50")
		return
	}
	events, err := d.parts.history.Events(r.Context(), f)
	if err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, http.StatusOK, EventsResult{controller.APIVersion, eventViews(events)})
}

func eventFilter(r *http.Request) (agent.EventFilter, error) {
	q := r.URL.Query()
	f := agent.EventFilter{ID: agent.ID(q.Get("id")), Limit: defaultEvents}
	if s := q.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return f, fmt.Errorf("limit: %q is not a number above 0", s)
		}
		f.Limit = n
	}
	if s := q.Get("since"); s != "" {
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return f, fmt.Errorf("since: %q is not an RFC 3339 time", s)
		}
		f.Since = t
	}
	return f, nil
}

// pprofHandler answers as if it were not there unless it is enabled, which a
// reload may change.
func (d *Daemon) pprofHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.config().EnablePprof {
			http.NotFound(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
