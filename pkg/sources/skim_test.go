package sources

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// skimmed is a tree of projects that was swept until its stamps are trusted.
func skimmed(t *testing.T) (root string, look func() (*agent.Listing, agent.Changes)) {
	t.Helper()
	root = temp(t)
	for i := range 12 {
		dir := fmt.Sprintf("%s/team/p%02d", root, i)
		project(t, dir, fmt.Sprintf("P%d", i))
		for j := range 5 {
			if err := os.MkdirAll(fmt.Sprintf("%s/src/d%d", dir, j), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	project(t, root+"/team/p00/inner", "INNER")
	tree := newTree(t, Options{})
	later := time.Now().Add(time.Hour)
	look = func() (*agent.Listing, agent.Changes) {
		return sweep(t, tree, agent.SweepRequest{Roots: []string{root}, Skim: true, Now: later})
	}
	for range 2 {
		look()
	}
	return root, look
}

// A skimming sweep costs a fraction, and all are dealt their turn.
func TestSkimIsCheap(t *testing.T) {
	_, look := skimmed(t)
	whole := 0
	for range skimTurns {
		l, c := look()
		if len(c.IDs) != 0 || len(l.Sightings) != 13 || !l.Complete() {
			t.Fatalf("changes %v, %d sightings", c.IDs, len(l.Sightings))
		}
		whole += l.Stats
	}
	// 13 manifests in each, and 87 directories once.
	if limit := skimTurns*(13+4) + 2*87; whole > limit {
		t.Errorf("%d stats in %d sweeps, want at most %d", whole, skimTurns, limit)
	}
}

// Whatever happens to a known manifest is seen at once, wherever it lies.
func TestSkimSeesKnownManifests(t *testing.T) {
	root, look := skimmed(t)
	for _, step := range []struct {
		name string
		do   func() error
		ids  []agent.ID
	}{
		{"edited inside a project", func() error {
			return os.WriteFile(root+"/team/p00/inner/.dork/agent.json", []byte(manifest("INNER")+" "), 0o644)
		}, []agent.ID{"INNER"}},
		{"removed inside a project", func() error { return os.RemoveAll(root + "/team/p00/inner/.dork") }, []agent.ID{"INNER"}},
		{"moved into another project", func() error { return os.Rename(root+"/team/p01", root+"/team/p02/src/d3/p01") }, []agent.ID{"P1"}},
		{"its id changed", func() error { return os.WriteFile(root+"/team/p03/.dork/agent.json", []byte(manifest("NEW")), 0o644) }, []agent.ID{"NEW", "P3"}},
		{"new beside projects", func() error { project(t, root+"/team/fresh", "FRESH"); return nil }, []agent.ID{"FRESH"}},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if _, c := look(); fmt.Sprint(c.IDs) != fmt.Sprint(step.ids) {
			t.Errorf("%s: %v, want %v", step.name, c.IDs, step.ids)
		}
	}
	l, _ := look()
	if at := l.Places("P1"); len(at) != 1 || l.Sightings[at[0]].Path != root+"/team/p02/src/d3/p01" {
		t.Errorf("the moved one is at %v", at)
	}
}

// A new one inside a project is seen when it is that project's turn.
func TestSkimFindsInsideInTurn(t *testing.T) {
	root, look := skimmed(t)
	project(t, root+"/team/p05/src/d2/new", "NEW")
	for n := range skimTurns {
		if _, c := look(); len(c.IDs) > 0 {
			t.Logf("seen by sweep %d", n+1)
			return
		}
	}
	t.Errorf("not seen in %d sweeps", skimTurns)
}

// Where the walk goes no deeper a skimming sweep is one stat for a manifest, and
// a directory that took another's place is told when its manifest is read again.
func TestSkimAtTheBottom(t *testing.T) {
	root := temp(t)
	for i := range 24 {
		project(t, fmt.Sprintf("%s/p%02d", root, i), fmt.Sprintf("P%d", i))
	}
	tree := newTree(t, Options{Depth: 1, ScrubSweeps: 12})
	req := agent.SweepRequest{Roots: []string{root}, Skim: true, Now: time.Now().Add(time.Hour)}
	for range 2 {
		sweep(t, tree, req)
	}
	stats := 0
	for range 12 {
		l, _ := sweep(t, tree, req)
		stats += l.Stats
	}
	if limit := 12*(24+4) + 24; stats > limit {
		t.Errorf("%d stats in 12 sweeps, want at most %d", stats, limit)
	}
	must(t, os.Rename(root+"/p00", root+"/aside"))
	mkdir(t, root+"/p00")
	must(t, os.Rename(root+"/aside/.dork", root+"/p00/.dork"))
	must(t, os.Remove(root+"/aside"))
	info, err := os.Stat(root + "/p00")
	must(t, err)
	st, _ := info.Sys().(*syscall.Stat_t)
	for range 12 {
		if l, _ := sweep(t, tree, req); l.Sightings[0].Dir.Ino == st.Ino {
			return
		}
	}
	t.Error("another directory was not noticed in a turn of the scrub")
}
