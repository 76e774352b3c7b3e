package sources

import (
	"fmt"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// A quiet sweep of the interval, its share of the scrub included, allocates for
// itself and not for agents.
func TestQuietSweepAllocatesNothingPerAgent(t *testing.T) {
	const few, many = 60, 660
	allocs := func(agents int) float64 {
		root := temp(t)
		for i := range agents {
			project(t, fmt.Sprintf("%s/team-%02d/p%03d", root, i%5, i), fmt.Sprintf("ID%d", i))
		}
		tree, req := newTree(t, Options{}), agent.SweepRequest{Roots: []string{root}, Skim: true}
		l, _ := sweep(t, tree, req)
		for _, s := range l.Sightings {
			req.Known = append(req.Known, agent.Known{Path: s.Path, ID: s.ID})
		}
		sweep(t, tree, req)
		return testing.AllocsPerRun(24, func() { sweep(t, tree, req) }) // two turns of the scrub
	}
	base := allocs(few)
	if each := (allocs(many) - base) / (many - few); each > 0.01 {
		t.Errorf("%.3f allocations per agent beside %.0f", each, base)
	}
}

// A probe allocates what it hands out, and next to nothing to be watched.
func TestProbeAllocations(t *testing.T) {
	dir := project(t, temp(t)+"/p", "A1")
	tree := newTree(t, Options{})
	tree.decode = func([]byte) (*agent.Manifest, *agent.Violation) { return &agent.Manifest{}, nil }
	if got := testing.AllocsPerRun(100, func() { probe(t, tree, dir) }); got > 6 {
		t.Errorf("%.0f allocations", got)
	}
}
