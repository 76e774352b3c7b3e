package sources

import "github.com/mesh-registry/mesh-controller/pkg/agent"

// specialPlace is why a directory is not simply walked.
type specialPlace uint8

const (
	deniedPlace specialPlace = iota + 1
	otherRoot                // it is walked as a root of its own
	mountPoint
)

// specialPlaces are those at or below the root that are not simply walked.
func (t *Tree) specialPlaces(root string, roots, denied []string) map[string]specialPlace {
	places := make(map[string]specialPlace)
	for _, p := range t.mounts.below(root) {
		places[p] = mountPoint
	}
	for _, r := range roots {
		if r != root && agent.Within(r, root) {
			places[r] = otherRoot
		}
	}
	for _, d := range denied {
		switch {
		case agent.Within(root, d):
			places[root] = deniedPlace
		case agent.Within(d, root):
			places[d] = deniedPlace
		}
	}
	return places
}
