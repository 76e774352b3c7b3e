package sources

import (
	"fmt"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Digests come when they are asked for, of all manifests whoever read them.
func TestDigests(t *testing.T) {
	root := temp(t)
	for i := range 40 {
		project(t, fmt.Sprintf("%s/team-%02d/p", root, i), fmt.Sprintf("A%02d", i))
	}
	req := agent.SweepRequest{Roots: []string{root}, Digests: true}
	if _, c := sweep(t, newTree(t, Options{}), req); len(c.Digests) != 40 || c.Digests["A00"] == 0 || c.Digests["A00"] != c.Digests["A39"] {
		t.Errorf("%d digests, want 40: %v", len(c.Digests), c.Digests)
	}
	req.Digests = false
	if _, c := sweep(t, newTree(t, Options{}), req); c.Digests != nil {
		t.Errorf("%d digests that nobody asked for", len(c.Digests))
	}
}
