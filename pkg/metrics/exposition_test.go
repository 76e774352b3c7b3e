package metrics

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var update = flag.Bool("update", false, "rewrite testdata/exposition.txt")

// limit is what the contract allows; reserve is kept for what a fleet adds.
const (
	limit   = 200
	reserve = 8
)

// The whole exposition at the start: names, help, types, labels and zeros.
// Values that are the machine's or the toolchain's are masked.
func TestExposition(t *testing.T) {
	got := mask(scrape(t, New(Build{Version: "v1.2.3", Commit: "abc"})))
	golden := filepath.Join("testdata", "exposition.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("go test ./pkg/metrics -update rewrites the file (-want +got):\n%s", diff)
	}
}

func TestSeriesLimit(t *testing.T) {
	n := len(samples(scrape(t, New(Build{}))))
	t.Logf("%d series", n)
	if n > limit-reserve {
		t.Errorf("%d series, want at most %d", n, limit-reserve)
	}
}

func TestZeroFromTheStart(t *testing.T) {
	for _, line := range samples(scrape(t, New(Build{}))) {
		if runtimeLine(line) || strings.HasPrefix(line, "mesh_controller_build_info{") {
			continue
		}
		if !strings.HasSuffix(line, " 0") {
			t.Errorf("not at zero: %s", line)
		}
	}
}

func TestLint(t *testing.T) {
	m := New(Build{})
	problems, err := testutil.GatherAndLint(m.gatherer())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestOpenMetricsIsNegotiated(t *testing.T) {
	for accept, want := range map[string]string{
		"application/openmetrics-text; version=1.0.0": "application/openmetrics-text",
		"": "text/plain",
	} {
		req := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
		req.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		New(Build{}).Handler().ServeHTTP(w, req)
		if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, want) {
			t.Errorf("Accept %q: got %s", accept, got)
		}
		if n := len(samples(w.Body.String())); n > limit-reserve {
			t.Errorf("Accept %q: %d series", accept, n)
		}
	}
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// samples are the lines of an exposition that carry a value.
func samples(exposition string) []string {
	var lines []string
	for line := range strings.Lines(exposition) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

func contains(lines []string, line string) bool { return slices.Contains(lines, line) }

func runtimeLine(line string) bool {
	return strings.HasPrefix(line, "go_") || strings.HasPrefix(line, "process_")
}

var value = regexp.MustCompile(` \S+$`)

func mask(exposition string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(exposition, runtime.Version(), "GOVERSION")) {
		if runtimeLine(line) {
			line = value.ReplaceAllString(strings.TrimSuffix(line, "\n"), " *") + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}
