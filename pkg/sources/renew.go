package sources

import "golang.org/x/sys/unix"

// unchanged reports whether the directory in hand is as it was listed. Any
// other answer than the same stamp is left to renew.
func (w *walker) unchanged(n *node, at place) bool {
	return w.stat(at, "") == nil && stampOf(&w.st) == n.stamp
}

// renew learns the directory in hand anew. It returns a descriptor of it where
// it had to be opened, else -1; ok is false when there is nothing to go on
// with.
func (w *walker) renew(n *node, at place, depth int) (fd int, ok bool) {
	bottom := depth >= w.terms.depth
	if bottom || w.counts != 0 {
		err := w.statDir(at)
		if err == nil && (bottom || w.childless()) {
			err, bottom = w.peek(n, at, w.likely && !w.childless()), true
		}
		if err != nil {
			w.lose(n, err)
		}
		if err != nil || bottom {
			return -1, err == nil
		}
	}
	fd, err := w.open.dir(at.fd, w.name(at, ""))
	if refused(err) {
		return -1, w.peekLocked(n, at, err)
	}
	if err != nil {
		w.lose(n, err)
		return -1, false
	}
	if err := w.list(n, fd); err != nil {
		w.lose(n, err)
		return fd, false
	}
	return fd, !w.cycle(n)
}

// peekLocked is for a directory that may not be listed: a manifest in it may
// be readable all the same.
func (w *walker) peekLocked(n *node, at place, cause error) bool {
	err := w.statDir(at)
	if err == nil {
		err = w.peek(n, at, false)
	}
	if err != nil || n.dork == noDork {
		w.lose(n, cause)
		return false
	}
	w.skip()
	n.settled = false // what else it holds is still to be learnt
	return true
}

// statDir is a stat of the directory in hand; ENOTDIR where it is none.
func (w *walker) statDir(at place) error {
	err := w.stat(at, "")
	if err == nil && kindOf(&w.st) != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	return err
}

// childless reports whether the link count proves that no directory lies in the
// one that was statted last: then there is nothing to list.
func (w *walker) childless() bool {
	return w.counts != 0 && w.st.Nlink == 2 && unix.Mkdev(w.st.Dev_major, w.st.Dev_minor) == w.counts
}

// countsDirectories reports whether a file system of this type counts in the
// links of a directory those that lie in it. Some count nothing and say 1, but
// network file systems may say 2 of every one.
func countsDirectories(kind string) bool {
	switch kind {
	case "ext2", "ext3", "ext4", "xfs", "tmpfs":
		return true
	}
	return false
}

// peek learns of the directory in hand, which was just statted, only what a
// manifest in it needs. On a guess the opener is asked for it at once.
func (w *walker) peek(n *node, at place, guess bool) error {
	if n.below != nil {
		n.below, w.moved = nil, true
	}
	n.stamp, n.entries = stampOf(&w.st), 0
	n.settled = n.stamp.settled(w.terms.now)
	if guess && n.file == nil {
		n.dork = guessedDork
		return nil
	}
	return w.lookForDork(n, at)
}

// lookForDork learns what stands at .dork in the directory in hand.
func (w *walker) lookForDork(n *node, at place) error {
	switch err := w.stat(at, "/"+dorkDir); {
	case absent(err):
		n.dork = noDork
	case err != nil:
		return err
	case kindOf(&w.st) == unix.S_IFDIR:
		n.dork = realDork
	default:
		n.dork = otherDork
	}
	return nil
}

// cycle reports whether the directory in hand is also one of those that lead
// to it, which a bind mount can bring about, and forgets it then.
func (w *walker) cycle(n *node) bool {
	for _, id := range w.chain {
		if id == n.stamp.id() {
			n.forget()
			return true
		}
	}
	return false
}
