package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// manifest is the smallest one that is valid.
func manifest(id string) string {
	return fmt.Sprintf(`{"id":%q,"name":"a","runtime":"codex","registeredAt":"2026-01-02T03:04:05.000Z","registeredBy":"me"}`, id)
}

// project makes a project directory with a manifest that carries id.
func project(t testing.TB, dir, id string) string {
	t.Helper()
	write(t, filepath.Join(dir, ".dork", "agent.json"), manifest(id))
	return dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

func mkdir(t testing.TB, path string) string {
	t.Helper()
	must(t, os.MkdirAll(path, 0o755))
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// temp is a real path.
func temp(t testing.TB) string {
	t.Helper()
	dir, err := RealPath(t.TempDir())
	must(t, err)
	return dir
}

func newTree(t testing.TB, opts Options) *Tree {
	t.Helper()
	tree, err := New(opts)
	must(t, err)
	return tree
}

// later is a time at which everything that exists has settled.
func later() time.Time { return time.Now().Add(time.Hour) }

// sweep runs one that must not fail.
func sweep(t testing.TB, tree *Tree, req agent.SweepRequest) (*agent.Listing, agent.Changes) {
	t.Helper()
	if req.Now.IsZero() {
		req.Now = later()
	}
	l, c, err := tree.Sweep(t.Context(), req)
	must(t, err)
	return l, c
}

// paths of a listing's sightings relative to root, with their class where it
// is not Present.
func paths(t testing.TB, l *agent.Listing, root string) []string {
	t.Helper()
	out := []string{}
	for _, s := range l.Sightings {
		rel, err := filepath.Rel(root, s.Path)
		must(t, err)
		if s.Class != agent.Present {
			rel += " " + s.Class.String()
		}
		out = append(out, rel)
	}
	return out
}

func probe(t testing.TB, tree *Tree, path string) agent.Look {
	t.Helper()
	return tree.Probe(t.Context(), agent.ProbeRequest{Path: path, Anchor: filepath.Dir(path)})
}
