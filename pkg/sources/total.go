package sources

import (
	"maps"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// total is what all walks of a sweep came to.
type total struct {
	stats, reads, found int
	changed, moved      bool
	incomplete          bool // a root could not be listed whole
	skipped             bool // a directory could not be listed
	digests             digests
}

// digests of manifests, see agent.Changes; nil: none were asked for, or read.
type digests map[agent.ID]uint64

// with adds others to them.
func (d digests) with(others digests) digests {
	if d == nil {
		return others
	}
	maps.Copy(d, others)
	return d
}

func sumUp(walks []walk) (sum total) {
	for i := range walks {
		k := &walks[i]
		if k.walker != nil {
			sum.add(k.walker)
		}
		sum.incomplete = sum.incomplete || !k.report.Complete
		sum.skipped = sum.skipped || len(k.report.Skipped) > 0
	}
	return sum
}

func (sum *total) add(w *walker) {
	sum.stats += w.stats
	sum.reads += w.reads
	sum.found += w.found
	sum.changed = sum.changed || w.changed
	sum.moved = sum.moved || w.moved
	sum.digests = sum.digests.with(w.digests)
}
