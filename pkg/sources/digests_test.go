package sources

import (
	"fmt"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Every sighting has the digest of what its manifest says by itself, whoever
// read it.
func TestDigests(t *testing.T) {
	root := temp(t)
	for i := range 40 {
		project(t, fmt.Sprintf("%s/team-%02d/p", root, i), fmt.Sprintf("A%02d", i))
	}
	l, _ := sweep(t, newTree(t, Options{}), agent.SweepRequest{Roots: []string{root}})
	for _, s := range l.Sightings {
		if s.Digest == 0 || s.Digest != l.Sightings[0].Digest {
			t.Errorf("%s: digest %x, of others %x", s.Path, s.Digest, l.Sightings[0].Digest)
		}
	}
	if len(l.Sightings) != 40 {
		t.Errorf("%d sightings, want 40", len(l.Sightings))
	}
}
