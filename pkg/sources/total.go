package sources

// tally is what a walk came to.
type tally struct {
	stats, reads int
	found        int  // manifests, readable or not
	changed      bool // a sighting is not what it was
	moved        bool // the set of directories is not what it was
}

func (t *tally) add(o *tally) {
	t.stats += o.stats
	t.reads += o.reads
	t.found += o.found
	t.changed = t.changed || o.changed
	t.moved = t.moved || o.moved
}

// total is what all walks of a sweep came to.
type total struct {
	tally
	incomplete bool // a root could not be listed whole
	skipped    bool // a directory could not be listed
}

func sumUp(walks []walk) (sum total) {
	for i := range walks {
		k := &walks[i]
		if k.walker != nil {
			sum.add(&k.walker.tally)
		}
		sum.incomplete = sum.incomplete || !k.report.Complete
		sum.skipped = sum.skipped || len(k.report.Skipped) > 0
	}
	return sum
}
