package sources

import "golang.org/x/sys/unix"

// visit looks at the directory in hand and everything below it. It costs one
// stat for a directory that did not change.
func (w *walker) visit(n *node, at place, depth int) {
	w.pulse.beat()
	w.feel()
	if w.crew.full.Load() || w.pulse.stopped() {
		return
	}
	if w.skims(n, depth) && w.skim(n, at, depth) {
		return
	}
	w.report.Directories++
	own, fresh := at, false
	if w.terms.reread || !n.settled || !w.unchanged(n, at) {
		fd, ok := w.renew(n, at, depth)
		if fd >= 0 {
			defer unix.Close(fd)
			own = w.inside(fd)
		}
		if !ok {
			return
		}
		fresh = true
	}
	if w.crew.entries.Add(int64(n.entries)) > w.terms.bound {
		w.overflow()
		return
	}
	w.came(n)
	w.inspect(n, own, fresh)
	if n.below != nil && depth < w.terms.depth {
		w.descend(n, own, depth)
	}
}

// came notes that the sweep came by. A manifest that the last sweep did not
// come by (it was denied, or behind a mount that hung) is a change even where
// it is as remembered.
func (w *walker) came(n *node) {
	if n.file != nil && n.sweep+1 != w.terms.number {
		w.changed = true
	}
	n.sweep = w.terms.number
}

// descend visits the directories in n, in the order of their names or beside
// each other.
func (w *walker) descend(n *node, at place, depth int) {
	w.chain = append(w.chain, n.stamp.id())
	kids := n.kids()
	for i := range kids {
		if w.wantsHelp(kids[i:], depth) {
			w.shareOut(kids[i:], at, depth)
			break
		}
		w.step(&kids[i], at, depth+1)
	}
	w.chain = w.chain[:len(w.chain)-1]
}

// step goes into a directory of the one in hand and comes back.
func (w *walker) step(k *node, at place, depth int) {
	mark := len(w.path)
	w.path = append(append(w.path, '/'), k.name...)
	w.approach(k, at, depth)
	w.path = w.path[:mark]
}

// approach visits a directory unless it is denied, another root's, or on a
// mount that does not answer.
func (w *walker) approach(n *node, at place, depth int) {
	if len(w.special) == 0 {
		w.visit(n, at, depth)
		return
	}
	switch w.special[string(w.path)] {
	case deniedPlace, otherRoot:
	case mountPoint:
		point := string(w.path)
		if w.guard.hangs(point) {
			w.lack(noAnswer(point).Error())
			return
		}
		outer := w.pulse.enter(point)
		w.visit(n, at, depth)
		w.pulse.enter(outer)
	default:
		w.visit(n, at, depth)
	}
}
