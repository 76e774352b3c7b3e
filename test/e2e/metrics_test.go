package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// families of the contract: the series that must exist, by metric.
var families = map[string][]string{
	"agents":                     values("status", "active", "unreachable"),
	"drift_detected_total":       pairs("cause", words("file", "index", "relay", "unknown"), "kind", driftKinds),
	"drift_corrected_total":      pairs("cause", words("file", "index", "relay", "unknown"), "kind", driftKinds),
	"unconverged_agents":         {""},
	"convergence_lag_seconds":    {"_sum", "_count", `_bucket{le="+Inf"}`},
	"manifest_problems":          values("kind", "invalid", "unreadable", "duplicate", "denied"),
	"orphans":                    values("state", "grace", "held"),
	"orphans_held":               values("reason", "volume_missing", "mass_missing", "settling", "incomplete"),
	"removals_total":             values("reason", "ManifestMissing", "PathMissing", "VolumeMissing", "Displaced", "Denied"),
	"reconcile_total":            values("result", "ok", "error", "requeue", "panic", "timeout"),
	"reconcile_duration_seconds": {"_sum", "_count", `_bucket{le="+Inf"}`},
	"actions_total": pairs("action", words("insertRow", "updateRow", "relocateRow", "markUnreachable", "markActive", "removeRow",
		"ensureEndpoint", "removeEndpoint", "moveMail", "ensureRules", "removeRules"), "result", words("ok", "error")),
	"sweeps_total":                          pairs("result", words("ok", "incomplete", "error"), "trigger", words("startup", "interval", "signal", "api")),
	"sweep_duration_seconds":                {"_sum", "_count", `_bucket{le="+Inf"}`},
	"sweep_last_success_timestamp_seconds":  {""},
	"sweep_files":                           values("outcome", "stat", "read"),
	"source_complete":                       values("source", "files", "index", "relay"),
	"index_errors_total":                    values("op", "list", "read", "commit"),
	"relay_errors_total":                    values("op", "list", "read", "endpoint", "mail", "rules"),
	"orphan_next_removal_timestamp_seconds": {""},
	"relay_degraded":                        {""},
	"relay_deferred":                        {""},
	"queue_parked":                          {""},
	"quarantined_agents":                    {""},
	"paused":                                {""},
}

// queueFamilies are client-go's own.
var queueFamilies = []string{
	"depth", "adds_total", "retries_total", "unfinished_work_seconds", "longest_running_processor_seconds",
	"queue_duration_seconds_sum", "queue_duration_seconds_count", "work_duration_seconds_sum", "work_duration_seconds_count",
}

var driftKinds = words("row", "field", "path", "namespace", "endpoint", "rules")

func words(list ...string) []string { return list }

func values(label string, list ...string) []string {
	var out []string
	for _, v := range list {
		out = append(out, fmt.Sprintf("{%s=%q}", label, v))
	}
	return out
}

func pairs(first string, firsts []string, second string, seconds []string) []string {
	var out []string
	for _, a := range firsts {
		for _, b := range seconds {
			out = append(out, fmt.Sprintf("{%s=%q,%s=%q}", first, a, second, b))
		}
	}
	return out
}

func TestEveryMetricIsThere(t *testing.T) {
	w := newWorld(t)
	d := w.start()
	s := d.scrape()
	for family, series := range families {
		for _, labels := range series {
			if _, ok := s["mesh_controller_"+family+labels]; !ok {
				t.Errorf("no series mesh_controller_%s%s", family, labels)
			}
		}
	}
	for _, family := range queueFamilies {
		if _, ok := s["workqueue_"+family+`{name="agents"}`]; !ok {
			t.Errorf(`no series workqueue_%s{name="agents"}`, family)
		}
	}
	build := slices.DeleteFunc(slices.Collect(maps.Keys(s)), func(name string) bool {
		return !strings.HasPrefix(name, "mesh_controller_build_info{")
	})
	if len(build) != 1 || !strings.Contains(build[0], `"`+version+`"`) || s[build[0]] != 1 {
		t.Errorf("build_info %v", build)
	}
	for _, prefix := range []string{"go_", "process_"} {
		if s.sum(prefix) == 0 {
			t.Errorf("no series %s*", prefix)
		}
	}
}

// However much happens, and to whatever names, the series stay the same few.
func TestSeriesAreBounded(t *testing.T) {
	w := newWorld(t)
	d := w.start()
	before := d.scrape()

	const mark = "Zebra9"
	for i := range 30 {
		w.manifest(fmt.Sprintf("%s-path%d/x", mark, i), fmt.Sprintf("%s_ID%d", mark, i), fields{
			"name": mark + "name", "namespace": fmt.Sprintf("%s-ns%d", mark, i), "description": mark + "text",
		})
	}
	w.want(0, "sync")
	w.copyProject(mark+"-path1", mark+"-copy")
	w.write(manifestOf(w.project(mark+"-path2/x")), `{"`+mark+`":`)
	w.remove(w.project(mark + "-path3"))
	w.move(w.project(mark+"-path4"), w.project(mark+"-moved"))
	w.write(w.rules(), `[{"`+mark+`":1}]`)
	w.run("sync")
	d.order(http.MethodPost, "/v1/sync", `{"targets":["`+mark+`"]}`)
	d.request(http.MethodGet, "/"+mark, nil, "")

	body := d.get("/metrics").body
	if at := strings.Index(strings.ToLower(body), strings.ToLower(mark)); at >= 0 {
		t.Errorf("names something of a manifest: %s", body[max(0, at-80):min(len(body), at+80)])
	}
	if strings.Contains(body, w.dir) {
		t.Error("names a path")
	}
	after := w.samples(body)
	if len(after) > 200 {
		t.Errorf("%d series", len(after))
	}
	keys := func(s scrape) []string { return slices.Sorted(maps.Keys(s)) }
	if diff := cmp.Diff(keys(before), keys(after)); diff != "" {
		t.Errorf("series came or went (-before +after):\n%s", diff)
	}
}

func TestOpenMetricsIsNegotiated(t *testing.T) {
	w := newWorld(t)
	d := w.start()
	for _, c := range []struct{ accept, contentType, end string }{
		{"", "text/plain", "\n"},
		{"text/plain; version=0.0.4", "text/plain", "\n"},
		{"application/openmetrics-text; version=1.0.0", "application/openmetrics-text", "# EOF\n"},
		{"application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", "application/openmetrics-text", "# EOF\n"},
	} {
		a := d.request(http.MethodGet, "/metrics", http.Header{"Accept": {c.accept}}, "")
		if got := a.header.Get("Content-Type"); a.code != http.StatusOK || !strings.HasPrefix(got, c.contentType) || !strings.HasSuffix(a.body, c.end) {
			t.Errorf("accept %q: %d %s", c.accept, a.code, got)
		}
		if strings.Contains(a.body, "# EOF") != (c.end == "# EOF\n") {
			t.Errorf("accept %q: the other format", c.accept)
		}
	}
}

// Each case is one change from outside and the counters that move with it.
func TestCountersMove(t *testing.T) {
	w := newWorld(t)
	w.fleet(4)
	d := w.start()
	action := func(name string) string {
		return fmt.Sprintf(`mesh_controller_actions_total{action=%q,result="ok"}`, name)
	}
	cases := []struct {
		name string
		do   func()
		want []string
	}{
		{
			"an edit", func() { w.manifest("p000", agentID(0), fields{"description": "edited"}) },
			[]string{
				action("updateRow"), `mesh_controller_sweeps_total{result="ok",trigger="api"}`,
				`mesh_controller_reconcile_total{result="ok"}`, "mesh_controller_convergence_lag_seconds_count", `workqueue_adds_total{name="agents"}`,
			},
		},
		{
			"another writer", func() { w.sql("UPDATE agents SET name = 'else' WHERE id = ?", agentID(0)) },
			[]string{action("updateRow")},
		},
		{
			"a row goes", func() { w.sql("DELETE FROM agents WHERE id = ?", agentID(3)) },
			[]string{action("insertRow")},
		},
		{
			"a mailbox goes", func() { w.remove(w.mailbox("relay.agent.p001." + agentID(1))) },
			append(drift("endpoint", "relay"), action("ensureEndpoint")),
		},
		{"the rules go", func() { w.write(w.rules(), "[]") }, append(drift("rules", "relay"), action("ensureRules"))},
		{
			"another namespace", func() { w.manifest("p001", agentID(1), fields{"namespace": "team"}) },
			append(drift("namespace", "file"), action("updateRow"), action("ensureRules")),
		},
		{
			"a move", func() { w.move(w.project("p002"), w.project("p002b")) },
			append(drift("path", "file"), action("relocateRow")),
		},
		{"a new one", func() { w.manifest("p009", agentID(9), nil) }, append(drift("row", "file"), action("insertRow"), action("ensureEndpoint"))},
		{"a deletion", func() { w.move(w.project("p000"), w.path("bin/p000")) }, []string{action("markUnreachable")}},
		{"a return", func() { w.move(w.path("bin/p000"), w.project("p000")) }, []string{action("markActive")}},
	}
	for _, c := range cases {
		after := d.moves(c.name, c.do, c.want)
		for _, prefix := range []string{"mesh_controller_index_errors_total", "mesh_controller_relay_errors_total"} {
			if n := after.sum(prefix); n != 0 {
				t.Errorf("%s: %s is %v", c.name, prefix, n)
			}
		}
	}
	if s := d.scrape(); s["mesh_controller_unconverged_agents"] != 0 || s[`mesh_controller_agents{status="active"}`] != 5 {
		t.Errorf("in the end: %v unconverged, %v active", s["mesh_controller_unconverged_agents"], s[`mesh_controller_agents{status="active"}`])
	}
}

// drift names the series of a difference that was found and corrected.
func drift(kind, cause string) []string {
	return []string{
		fmt.Sprintf("mesh_controller_drift_detected_total{cause=%q,kind=%q}", cause, kind),
		fmt.Sprintf("mesh_controller_drift_corrected_total{cause=%q,kind=%q}", cause, kind),
	}
}

// moves does something and a sync, and wants the series to have grown.
func (d *daemon) moves(name string, do func(), want []string) scrape {
	d.w.t.Helper()
	before := d.scrape()
	do()
	d.w.want(0, "sync")
	after := d.scrape()
	for _, series := range want {
		if _, ok := before[series]; !ok {
			d.w.t.Errorf("%s: no series %s", name, series)
		}
		if after[series] <= before[series] {
			d.w.t.Errorf("%s: %s was %v and is %v", name, series, before[series], after[series])
		}
	}
	return after
}

// Who moved is told by what was last applied: the same difference is the
// file's doing or the index's.
func TestDriftNamesWhoMoved(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	d := w.start()
	d.moves("an edit", func() { w.manifest("p000", agentID(0), fields{"description": "edited"}) }, drift("field", "file"))
	d.moves("another writer", func() { w.sql("UPDATE agents SET name = 'else' WHERE id = ?", agentID(0)) }, drift("field", "index"))
	d.moves("a row goes", func() { w.sql("DELETE FROM agents WHERE id = ?", agentID(1)) }, drift("row", "index"))
}

// The gauges say what is.
func TestGaugesSayWhatIs(t *testing.T) {
	w := newWorld(t)
	w.fleet(4)
	d := w.start()
	w.copyProject("p000", "copy")
	w.write(manifestOf(w.project("p001")), "{")
	w.remove(w.project("p002"))
	w.want(0, "sync")
	s := d.scrape()
	for series, want := range map[string]float64{
		`agents{status="active"}`:             3,
		`agents{status="unreachable"}`:        1,
		`manifest_problems{kind="duplicate"}`: 1,
		`manifest_problems{kind="invalid"}`:   1,
		`orphans{state="grace"}`:              1,
		`orphans{state="held"}`:               0,
		`unconverged_agents`:                  0,
		`source_complete{source="files"}`:     1,
	} {
		if got := s["mesh_controller_"+series]; got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
	if due := s["mesh_controller_orphan_next_removal_timestamp_seconds"]; due <= s["mesh_controller_sweep_last_success_timestamp_seconds"] {
		t.Errorf("the next removal is due at %v", due)
	}
}

// Rules that cannot be read degrade the relay, visibly, and nothing else.
func TestDegradedRelay(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	d := w.start()
	const broken = "[\n  {broken"
	w.write(w.rules(), broken)
	w.manifest("p000", agentID(0), fields{"description": "edited"})
	w.run("sync")
	if got := w.cell("SELECT description FROM agents WHERE id = ?", agentID(0)); got != "edited" {
		t.Errorf("the index does not follow: %q", got)
	}
	if n := d.scrape()["mesh_controller_relay_degraded"]; n != 1 {
		t.Errorf("relay_degraded %v", n)
	}
	a := d.request(http.MethodGet, "/readyz?verbose", nil, "")
	if a.code != http.StatusServiceUnavailable || !strings.Contains(a.body, "[-] relay") || !strings.Contains(a.body, "[+] index") {
		t.Errorf("readyz %d: %s", a.code, a.body)
	}
	d.get("/healthz")
	w.want(1, "doctor")
	if got := w.read(w.rules()); got != broken {
		t.Errorf("the rules were written: %s", got)
	}
	w.remove(w.rules())
	w.want(0, "sync")
	if n := d.scrape()["mesh_controller_relay_degraded"]; n != 0 {
		t.Errorf("mended: relay_degraded %v", n)
	}
	d.get("/readyz")
}
