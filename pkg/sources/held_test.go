package sources

import (
	"fmt"
	"os"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// What is held for each agent between two sweeps, the listing included.
func TestMemoryPerAgent(t *testing.T) {
	const agents = 1000
	root, err := os.MkdirTemp("", "held") // paths as short as ordinary ones
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	for i := range agents {
		dir := project(t, fmt.Sprintf("%s/team-%04d/project-%06d", root, i/100, i), fmt.Sprintf("01JZ3Y8Q4N5V6W7X8Y9Z%06d", i))
		for _, name := range []string{"assets", "docs", "src/inner"} {
			mkdir(t, dir+"/"+name)
		}
	}
	for _, tc := range []struct {
		name  string
		depth int
		bound float64 // bytes
	}{
		{"at its depth", 2, 440},
		{"with five directories each", 5, 850},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tree := newTree(t, Options{Depth: tc.depth})
			before := heap()
			l, _ := sweep(t, tree, agent.SweepRequest{Roots: []string{root}})
			held := float64(heap()-before) / agents
			t.Logf("%.0f bytes", held)
			if len(l.Sightings) != agents || held > tc.bound {
				t.Errorf("%d sightings, %.0f bytes for each, want at most %.0f", len(l.Sightings), held, tc.bound)
			}
			sweep(t, tree, agent.SweepRequest{Roots: []string{root}})
		})
	}
}
