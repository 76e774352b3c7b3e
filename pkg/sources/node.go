package sources

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// node is what is remembered of one directory between sweeps.
type node struct {
	name  string
	stamp stamp   // as of just before it was listed
	below *[]node // the directories in it that are walked, by name; nil: none
	file  *file   // nil: no manifest
	// entries of the directory, of every kind, when it was listed.
	entries int32
	// sweep is the number of the last sweep that came by; 0 for none.
	sweep uint32
	dork  dorkKind
	// settled: an equal stamp proves that kids, entries and dork still hold.
	settled bool
	slot    uint8 // the turn of its manifest in the rotation of the scrub
}

// dorkKind is what stands at .dork in a directory.
type dorkKind uint8

const (
	noDork      dorkKind = iota
	realDork             // a directory
	otherDork            // a link or a file: for the opener to judge
	guessedDork          // not looked for yet, likely a directory with a manifest
)

// file is what is remembered of one manifest between sweeps.
type file struct {
	sum  uint64 // of the stamp that proves by an equal one equal content; 0: none does
	hash uint64 // of its bytes; 0 where none were read
	// seen lies in the last listing, once one was made of it.
	seen *agent.Sighting
}

// holds reports whether a stat proves that the file is as it was read.
func (f *file) holds(st *unix.Statx_t) bool { return f.sum != 0 && f.sum == stampOf(st).sum() }

// kids are the directories in n that are walked, by name.
func (n *node) kids() []node {
	if n.below == nil {
		return nil
	}
	return *n.below
}

// forget drops what is below the node and in it.
func (n *node) forget() {
	*n = node{name: n.name}
}

// adopt makes the names, sorted, the directories in n, and keeps what is
// remembered of those that were there before. It reports whether any differ.
func (n *node) adopt(names []string) bool {
	if n.holds(names) {
		return false
	}
	if len(names) == 0 {
		n.below = nil
		return true
	}
	kids := make([]node, len(names))
	old := n.kids()
	for i, name := range names {
		for len(old) > 0 && old[0].name < name {
			old = old[1:]
		}
		if len(old) > 0 && old[0].name == name {
			kids[i] = old[0]
		} else {
			kids[i].name = name
		}
	}
	n.below = &kids
	return true
}

func (n *node) holds(names []string) bool {
	kids := n.kids()
	if len(kids) != len(names) {
		return false
	}
	for i := range names {
		if kids[i].name != names[i] {
			return false
		}
	}
	return true
}

// find is the node at rel ("" for n itself), nil when there is none.
func (n *node) find(rel string) *node {
	for rel != "" {
		name, rest, _ := strings.Cut(rel, "/")
		kids := n.kids()
		i, j := 0, len(kids)
		for i < j {
			if h := int(uint(i+j) >> 1); kids[h].name < name {
				i = h + 1
			} else {
				j = h
			}
		}
		if i == len(kids) || kids[i].name != name {
			return nil
		}
		n, rel = &kids[i], rest
	}
	return n
}

// collect appends every directory with a manifest that the sweep came by, and
// forgets the rest.
func (n *node) collect(sweep uint32, with []*node) []*node {
	if n.sweep != sweep {
		n.forget()
		return with
	}
	if n.file != nil {
		with = append(with, n)
	}
	kids := n.kids()
	for i := range kids {
		with = kids[i].collect(sweep, with)
	}
	return with
}
