package maildir

import (
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// add returns the file with the rules that are missing, each at its place by
// priority: behind the last entry whose priority is not lower. Rules that are
// there, annotated ones included, are not added again; where nothing is
// missing the very same bytes come back.
func (d *document) add(rules []agent.Rule) []byte {
	at := d.missing(rules)
	switch {
	case len(at) == 0:
		return d.raw
	case len(d.entries) == 0:
		return d.fill(at[0])
	}
	out := make([]byte, 0, len(d.raw)+256*len(rules))
	copied := 0
	for k := range len(d.entries) + 1 {
		if len(at[k]) == 0 {
			continue
		}
		s := d.style(k)
		if k == 0 { // in front of the first entry
			out = append(out, d.raw[:d.entries[0].start]...)
			copied = d.entries[0].start
			for _, r := range at[0] {
				out = append(s.render(out, r), s.between...)
			}
			continue
		}
		out = append(out, d.raw[copied:d.entries[k-1].end]...)
		copied = d.entries[k-1].end
		for _, r := range at[k] {
			out = s.render(append(out, s.between...), r)
		}
	}
	return append(out, d.raw[copied:]...)
}

// fill writes the first entries of an array; white space inside it goes.
func (d *document) fill(rules []agent.Rule) []byte {
	out := slices.Clone(d.raw[:d.open+1])
	for i, r := range rules {
		if i > 0 {
			out = append(out, ',')
		}
		out = defaultStyle.render(append(out, "\n  "...), r)
	}
	return append(append(out, '\n'), d.raw[d.close:]...)
}

// remove returns the file without the exact rules, however often they are
// there. An annotated entry stays: somebody wrote his own words into it, so it
// is his, and a rule too many harms less than a note that is lost.
func (d *document) remove(rules []agent.Rule) []byte {
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
	switch kept {
	case len(d.entries):
		return d.raw
	case 0:
		return append(slices.Clone(d.raw[:d.open+1]), d.raw[d.close:]...)
	}
	out := make([]byte, 0, len(d.raw))
	copied, first := 0, true
	for i, e := range d.entries {
		switch {
		case goes[i] && !first: // with what parts it from the entry before
			out = append(out, d.raw[copied:d.entries[i-1].end]...)
			copied = e.end
		case !goes[i] && first:
			if i > 0 { // everything in front of it went
				out = append(out, d.raw[:d.entries[0].start]...)
				copied = e.start
			}
			first = false
		}
	}
	return append(out, d.raw[copied:]...)
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
// which they go, the highest priority first.
func (d *document) missing(rules []agent.Rule) map[int][]agent.Rule {
	there := make(map[agent.Rule]bool, len(d.entries)+len(rules))
	for _, e := range d.entries {
		there[e.rule] = true
	}
	at, places := map[int][]agent.Rule{}, map[int]int{}
	for _, r := range rules {
		if there[r] {
			continue
		}
		there[r] = true
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
	return at
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
