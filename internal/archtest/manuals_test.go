package archtest

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/metrics"
)

const (
	operations    = "docs/operations.md"
	configuration = "docs/configuration.md"
)

// read returns a file of the module and skips the test where there is none yet.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("there is no %s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var code = regexp.MustCompile("`[^`]+`")

// rows maps every `word` that a table's first column names.
func rows(markdown string) map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(markdown) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 || strings.TrimSpace(cells[0]) != "" {
			continue
		}
		for _, w := range code.FindAllString(cells[1], -1) {
			words[strings.Trim(w, "`")] = true
		}
	}
	return words
}

func TestEveryReasonIsDocumented(t *testing.T) {
	have := rows(read(t, operations))
	for _, r := range agent.Reasons() {
		if !have[string(r)] {
			t.Errorf("%s has no row for the reason `%s`", operations, r)
		}
	}
}

// Reasons is the whole vocabulary: no constant is left out of it.
func TestReasonsIsComplete(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^\s+\w+\s+Reason = "(\w+)"$`)
	var all []agent.Reason
	for _, m := range declared.FindAllStringSubmatch(read(t, "pkg/agent/reason.go"), -1) {
		all = append(all, agent.Reason(m[1]))
	}
	if len(all) == 0 {
		t.Fatal("found no constant")
	}
	if !slices.Equal(all, agent.Reasons()) {
		t.Errorf("declared %v\nReasons() %v", all, agent.Reasons())
	}
}

func TestEveryFlagIsDocumented(t *testing.T) {
	have := rows(read(t, configuration))
	for _, setting := range daemon.Table() {
		if !have[setting.Flag()] {
			t.Errorf("%s has no row for `%s`", configuration, setting.Flag())
		}
	}
}

func TestEveryMetricIsDocumented(t *testing.T) {
	have := rows(read(t, operations))
	for name := range families(t) {
		if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
			continue
		}
		if !have[name] && !have[strings.TrimPrefix(name, "mesh_controller_")] {
			t.Errorf("%s has no row for the metric `%s`", operations, name)
		}
	}
}

// An alert on a metric that does not exist never fires.
func TestAlertsNameMetricsThatExist(t *testing.T) {
	have := families(t)
	used := regexp.MustCompile(`\b(?:mesh_controller|workqueue)_\w+`)
	for _, name := range used.FindAllString(read(t, "deploy/prometheus/alerts.yml"), -1) {
		family := name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			family = strings.TrimSuffix(family, suffix)
		}
		if !have[name] && !have[family] {
			t.Errorf("no metric %s", name)
		}
	}
}

func TestAlertsHaveARunbook(t *testing.T) {
	anchors := map[string]bool{}
	for line := range strings.Lines(read(t, operations)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			anchors[anchor(title)] = true
		}
	}
	link := regexp.MustCompile(`runbook_url: \S*` + regexp.QuoteMeta(operations) + `#(\S+)`)
	for _, m := range link.FindAllStringSubmatch(read(t, "deploy/prometheus/alerts.yml"), -1) {
		if !anchors[m[1]] {
			t.Errorf("%s has no heading for #%s", operations, m[1])
		}
	}
}

// anchor is what a heading can be linked as.
func anchor(title string) string {
	drop := regexp.MustCompile(`[^a-z0-9 _-]`)
	return strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), ""), " ", "-")
}

func families(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for line := range strings.Lines(exposition(metrics.New(metrics.Build{}))) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[1] == "TYPE" {
			names[fields[2]] = true
		}
	}
	return names
}

func exposition(m *metrics.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return w.Body.String()
}
