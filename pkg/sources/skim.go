package sources

import "github.com/mesh-registry/mesh-controller/pkg/agent"

// skimTurns is in how many skimming sweeps everything below a project is looked
// at once. More would find an agent that is new inside another one's project
// later, fewer cost a stat for each of its directories sooner: of an ordinary
// tree four fifths of the directories lie inside projects. It divides the
// twelve turns of the scrub, which deal them out.
const skimTurns = 4

// skims reports whether of a project, in a sweep that allows it, only the
// manifests are looked at this time. Where the walk goes no deeper nothing is to
// be found in it; whether it is the same directory is looked at with its manifest.
func (w *walker) skims(n *node, depth int) bool {
	return w.terms.skim && n.file != nil && len(w.special) == 0 && n.settled && n.sweep+1 == w.terms.number &&
		n.file.sum != 0 && n.file.seen.Class == agent.Present && !w.due(n) &&
		(depth == w.terms.depth || uint32(n.slot)%skimTurns != w.terms.number%skimTurns)
}

// skim passes by a project whose manifest did not change, and by every
// directory below it that holds none. It reports false, having done nothing,
// where the manifest is not as it was.
func (w *walker) skim(n *node, at place, depth int) bool {
	if w.stat(at, "/"+manifestPath) != nil || !n.file.holds(&w.st) {
		return false
	}
	w.found++
	w.pass(n, at, depth)
	return true
}

// pass goes through what is remembered below a directory; a directory that
// holds a manifest is visited.
func (w *walker) pass(n *node, at place, depth int) {
	w.report.Directories++
	n.sweep = w.terms.number
	if w.crew.entries.Add(int64(n.entries)) > w.terms.bound {
		w.overflow()
	}
	kids := n.kids()
	for i := range kids {
		k := &kids[i]
		if k.file == nil && k.settled && k.sweep+1 == w.terms.number {
			mark := len(w.path)
			w.path = append(append(w.path, '/'), k.name...)
			w.pass(k, at, depth+1)
			w.path = w.path[:mark]
			continue
		}
		w.step(k, at, depth+1)
	}
}

// lost reports whether something that was seen before is not where it was: it
// may have gone to where a skimming sweep does not look.
func lost(old, now *seen) bool {
	a, b := old.Sightings, now.Sightings
	for i, j := 0, 0; i < len(a); {
		switch {
		case j == len(b) || a[i].Path < b[j].Path:
			return true
		case b[j].Path < a[i].Path:
			j++
		default:
			if a[i].ID != "" && a[i].ID != b[j].ID {
				return true
			}
			i++
			j++
		}
	}
	return false
}
