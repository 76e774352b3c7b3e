package maildir

import (
	"maps"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// knownRules is what the next List is expected to find: what the last one
// found and, of our own writes since, exactly the rules that they were about.
// The rest of a file that we wrote may hold somebody else's change, which must
// still be reported.
type knownRules struct {
	sets       map[string]agent.RuleSet
	generation uint64 // of the file that was last compared
	written    bool   // by us, since then
	degraded   bool   // or never read
}

// rulesDiff says whose rules are not as known.
type rulesDiff struct {
	all        bool
	namespaces map[string]bool
}

// compare takes over what the file says.
func (k *knownRules) compare(f *rulesFile) (d rulesDiff) {
	switch {
	case f.problem != "":
		k.degraded = true
		return d
	case k.generation == f.generation && !k.written && !k.degraded:
		return d
	}
	d.all = k.degraded || k.generation == 0
	d.namespaces = map[string]bool{}
	for ns, set := range f.sets {
		if k.sets[ns] != set {
			d.namespaces[ns] = true
		}
	}
	for ns, set := range k.sets {
		if f.sets[ns] != set {
			d.namespaces[ns] = true
		}
	}
	*k = knownRules{sets: maps.Clone(f.sets), generation: f.generation}
	return d
}

func (k *knownRules) added(ns string, set agent.RuleSet) {
	if k.generation > 0 {
		k.sets[ns] = union(k.sets[ns], set)
		k.written = true
	}
}

func (k *knownRules) gone(ns string, set agent.RuleSet) {
	if k.generation > 0 {
		k.sets[ns] = without(k.sets[ns], set)
		k.written = true
	}
}
