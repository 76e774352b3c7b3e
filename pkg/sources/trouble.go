package sources

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// lose forgets the directory in hand and notes why it could not be looked into.
func (w *walker) lose(n *node, err error) {
	if n.sweep != 0 {
		w.moved = true
	}
	n.forget()
	switch {
	case absent(err), errors.Is(err, unix.ELOOP): // removed, or replaced by a link, since its parent was listed
	case refused(err):
		w.skip()
	default:
		w.lack(w.fullPath() + ": " + errnoName(err))
	}
}

// skip notes that the directory in hand may not be listed.
func (w *walker) skip() { w.report.Skipped = append(w.report.Skipped, w.fullPath()) }

// lack makes the root incomplete; the first reason is the one that is told.
func (w *walker) lack(why string) {
	if w.lacking++; w.lacking == 1 {
		w.report.Lacks = why
	}
}

func (w *walker) overflow() {
	if w.crew.full.Swap(true) {
		return
	}
	w.lack(fmt.Sprintf("more than %d entries (MaxEntries), reached in %s", w.terms.bound, w.fullPath()))
}

// lacks is the reason for people, with how many more there are.
func (w *walker) lacks() string {
	if w.lacking > 1 {
		return w.report.Lacks + " and " + strconv.Itoa(w.lacking-1) + " more"
	}
	return w.report.Lacks
}
