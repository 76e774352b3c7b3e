package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// troubled is a world with an agent in each of some states, so that the lists
// have something to show.
func troubled(t *testing.T) *world {
	w := newWorld(t)
	w.fleet(5)
	w.want(0, "sync")
	w.copyProject("p000", "copy")
	w.write(manifestOf(w.project("p001")), "{")
	w.remove(w.project("p002"))
	w.want(0, "sync")
	return w
}

func TestAPI(t *testing.T) {
	w := troubled(t)
	d := w.start()
	read := func(path string) any { return decode[any](w, d.get(path).body) }

	w.fitsAgents(read("/api/v1/agents"))
	agentShape.fits(t, "agent", read("/api/v1/agents/"+agentID(0)))
	problems := shape{"apiVersion": "text", "problems": "list"}.fits(t, "problems", read("/api/v1/problems"))
	problemShape.each(t, "problem", problems["problems"])
	events := shape{"apiVersion": "text", "events": "list"}.fits(t, "events", read("/api/v1/events"))
	eventShape.each(t, "event", events["events"])
	if got := decode[eventsView](w, d.get("/api/v1/events?limit=2&id="+agentID(2)).body); len(got.Events) != 2 || got.Events[1].Reason != "PathMissing" {
		t.Errorf("events of one agent: %+v", got)
	}
	status := decode[map[string]any](w, d.get("/api/v1/status").body)
	if ready, _ := status["ready"].(bool); !ready || status["pid"] != float64(d.pid()) || status["db"] != w.db() || status["version"] != version {
		t.Errorf("status %v", status)
	}

	// What the commands print is what the API answers.
	if diff := cmp.Diff(read("/api/v1/agents"), ask[any](w, 0, "agents")); diff != "" {
		t.Errorf("agents (-API +command):\n%s", diff)
	}

	for path, code := range map[string]int{
		"/api/v1/agents/NOBODY":      http.StatusNotFound,
		"/api/v1/events?since=never": http.StatusBadRequest,
		"/api/v1/events?limit=0":     http.StatusBadRequest,
	} {
		a := d.request(http.MethodGet, path, nil, "")
		if a.code != code {
			t.Errorf("GET %s: %d, want %d", path, a.code, code)
		}
		e := errorShape.fits(t, path, decode[any](w, a.body))
		bodyShape.fits(t, path, e["error"])
	}
	if a := d.get("/"); !strings.Contains(a.header.Get("Content-Type"), "text/html") || !strings.Contains(a.body, "/metrics") {
		t.Errorf("page: %s", a.body)
	}
	// A page of another site must not read it by a name that leads here.
	if a := d.request(http.MethodGet, "/api/v1/agents", http.Header{"Host": {"evil.example"}}, ""); a.code != http.StatusForbidden {
		t.Errorf("for another host: %d", a.code)
	}
}

// The port only answers questions.
func TestPortIsReadOnly(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	d := w.start()
	w.manifest("p002", agentID(2), nil) // a sync would find it
	before, metrics := w.tree(), d.scrape()
	for _, path := range []string{
		"/", "/metrics", "/healthz", "/readyz", "/api/v1/agents", "/api/v1/agents/" + agentID(0), "/api/v1/events",
		"/api/v1/problems", "/api/v1/status", "/api/v1/sync", "/v1/sync", "/v1/agents",
	} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if a := d.request(method, path, nil, `{"full":true}`); a.code != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, a.code)
			}
		}
	}
	if a := d.request(http.MethodGet, "/v1/sync", nil, ""); a.code != http.StatusNotFound {
		t.Errorf("GET /v1/sync: %d", a.code)
	}
	if a := d.request(http.MethodGet, "/debug/pprof/", nil, ""); a.code != http.StatusNotFound {
		t.Errorf("pprof, which nobody asked for: %d", a.code)
	}
	if diff := cmp.Diff(before, w.tree()); diff != "" {
		t.Errorf("files changed (-before +after):\n%s", diff)
	}
	const sweeps = "mesh_controller_sweeps_total"
	if a, b := metrics.sum(sweeps), d.scrape().sum(sweeps); a != b {
		t.Errorf("%v sweeps", b-a)
	}
}

// Orders are for the socket, which is this user's alone.
func TestSocket(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	d := w.start()
	info, err := os.Lstat(w.socket)
	w.must(err)
	if info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("mode %s", info.Mode())
	}
	w.manifest("p002", agentID(2), nil)
	for _, c := range []struct {
		name, body string
		code       int
	}{
		{"nothing said", "", http.StatusOK},
		{"everything", `{"full":true}`, http.StatusOK},
		{"one", `{"targets":["` + agentID(1) + `"]}`, http.StatusOK},
		{"nobody", `{"targets":["NOBODY"]}`, http.StatusNotFound},
		{"an unknown key", `{"ful":true}`, http.StatusBadRequest},
		{"no JSON", `full`, http.StatusBadRequest},
	} {
		a := d.order(http.MethodPost, "/v1/sync", c.body)
		if a.code != c.code {
			t.Errorf("%s: %d: %s", c.name, a.code, a.body)
			continue
		}
		if a.code != http.StatusOK {
			bodyShape.fits(t, c.name, errorShape.fits(t, c.name, decode[any](w, a.body))["error"])
			continue
		}
		s := syncShape.fits(t, c.name, decode[any](w, a.body))
		countsShape.fits(t, c.name, s["counts"])
	}
	if got := w.cell("SELECT count(*) FROM agents"); got != "3" {
		t.Errorf("%s agents", got)
	}
	if a := d.order(http.MethodGet, "/v1/sync", ""); a.code != http.StatusMethodNotAllowed {
		t.Errorf("GET /v1/sync: %d", a.code)
	}
	w.fitsStatus(d.order(http.MethodGet, "/v1/status", ""), d.pid())
}

func (w *world) fitsStatus(a answer, pid int) {
	w.t.Helper()
	if s := decode[map[string]any](w, a.body); a.code != http.StatusOK || s["pid"] != float64(pid) || !holds("time", s["startedAt"]) {
		w.t.Errorf("status %d: %s", a.code, a.body)
	}
}
