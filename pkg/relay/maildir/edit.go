package maildir

import (
	"maps"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// add returns the file with the rules that are missing, each at its place by
// priority: behind the last entry whose priority is not lower. Rules that are
// there, annotated ones included, are not added again; where nothing is
// missing the very same document comes back.
func (d *document) add(rules []agent.Rule) *document {
	at, sets := d.missing(rules)
	if len(at) == 0 {
		return d
	}
	w := rewrite{from: d, out: make([]byte, 0, len(d.raw)+256*len(rules))}
	if len(d.entries) == 0 {
		w.fill(at[0])
	} else {
		w.insert(at)
	}
	next := w.end()
	next.sets = maps.Clone(d.sets)
	maps.Copy(next.sets, sets)
	return next
}

// remove returns the file without the exact rules, however often they are
// there; where none is the very same document comes back. An annotated entry
// stays: somebody wrote his own words into it, so it is his, and a rule too
// many harms less than a note that is lost.
func (d *document) remove(rules []agent.Rule) *document {
	ours := make(map[agent.Rule]bool, len(rules))
	for _, r := range rules {
		ours[r] = true
	}
	goes := make([]bool, len(d.entries))
	kept := 0
	for i, e := range d.entries {
		goes[i] = !e.annotated && ours[e.rule]
		if !goes[i] {
			kept++
		}
	}
	w := rewrite{from: d, out: make([]byte, 0, len(d.raw))}
	switch kept {
	case len(d.entries):
		return d
	case 0:
		w.copyTo(d.open + 1)
		w.copied = d.close
	default:
		w.omit(goes)
	}
	next := w.end()
	next.sets = setsOf(next.entries)
	return next
}

// annotated returns the rules of the entries that remove leaves.
func (d *document) annotated() map[agent.Rule]bool {
	rules := map[agent.Rule]bool{}
	for _, e := range d.entries {
		if e.annotated {
			rules[e.rule] = true
		}
	}
	return rules
}

// missing returns the rules that are not there, by the position in front of
// which they go, the highest priority first, and what the namespaces that lack
// any then have.
func (d *document) missing(rules []agent.Rule) (at map[int][]agent.Rule, sets map[string]agent.RuleSet) {
	at, sets = map[int][]agent.Rule{}, map[string]agent.RuleSet{}
	places := map[int]int{}
	for _, r := range rules {
		ns, set := part(&r)
		has, ok := sets[ns]
		if !ok {
			has = d.sets[ns]
		}
		if union(has, set) == has {
			continue
		}
		sets[ns] = union(has, set)
		k, ok := places[r.Priority]
		if !ok {
			k = d.place(r.Priority)
			places[r.Priority] = k
		}
		at[k] = append(at[k], r)
	}
	for _, list := range at {
		slices.SortStableFunc(list, func(a, b agent.Rule) int { return b.Priority - a.Priority })
	}
	return at, sets
}

// place is the position in front of which an entry of this priority goes.
func (d *document) place(priority int) int {
	for i, e := range slices.Backward(d.entries) {
		if e.rule.Priority >= priority {
			return i + 1
		}
	}
	return 0
}
