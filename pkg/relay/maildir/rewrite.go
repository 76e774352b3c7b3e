package maildir

import "github.com/mesh-registry/mesh-controller/pkg/agent"

// rewrite is a document in the making: copied spans of another one, and new
// entries between them. It keeps count of where the entries lie, so that what
// was written need not be parsed.
type rewrite struct {
	from    *document
	out     []byte
	copied  int // what of from was copied, or left out
	entries []entry
}

// copyTo copies from up to an offset.
func (w *rewrite) copyTo(end int) {
	w.out = append(w.out, w.from.raw[w.copied:end]...)
	w.copied = end
}

// keep is told of each entry that stays, before it is copied.
func (w *rewrite) keep(e entry) {
	moved := len(w.out) - w.copied
	e.start += moved
	e.end += moved
	w.entries = append(w.entries, e)
}

func (w *rewrite) put(s *style, r agent.Rule) {
	start := len(w.out)
	w.out = s.render(w.out, r)
	w.entries = append(w.entries, entry{start: start, end: len(w.out), rule: r})
}

// end copies the rest. The sets are the caller's.
func (w *rewrite) end() *document {
	moved := len(w.out) - w.copied
	w.copyTo(len(w.from.raw))
	return &document{raw: w.out, open: w.from.open, close: w.from.close + moved, entries: w.entries}
}

// fill writes the first entries of an array; white space inside it goes.
func (w *rewrite) fill(rules []agent.Rule) {
	w.copyTo(w.from.open + 1)
	for i, r := range rules {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = append(w.out, "\n  "...)
		w.put(&defaultStyle, r)
	}
	w.out = append(w.out, '\n')
	w.copied = w.from.close
}

// insert puts rules in front of entries, and behind the last.
func (w *rewrite) insert(at map[int][]agent.Rule) {
	d := w.from
	w.entries = make([]entry, 0, len(d.entries)+len(at))
	for k := range len(d.entries) + 1 {
		if rules := at[k]; len(rules) > 0 {
			s := d.style(k)
			if k > 0 {
				w.copyTo(d.entries[k-1].end)
				for _, r := range rules {
					w.out = append(w.out, s.between...)
					w.put(&s, r)
				}
			} else {
				w.copyTo(d.entries[0].start)
				for _, r := range rules {
					w.put(&s, r)
					w.out = append(w.out, s.between...)
				}
			}
		}
		if k < len(d.entries) {
			w.keep(d.entries[k])
		}
	}
}

// omit leaves entries out, each with what parts it from the one before. Not all
// of them go.
func (w *rewrite) omit(goes []bool) {
	d := w.from
	first := true
	for i, e := range d.entries {
		switch {
		case goes[i] && !first:
			w.copyTo(d.entries[i-1].end)
			w.copied = e.end
		case !goes[i]:
			if first && i > 0 { // everything in front of it went
				w.copyTo(d.entries[0].start)
				w.copied = e.start
			}
			first = false
			w.keep(e)
		}
	}
}
