package sources

import (
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// node is what is remembered of one directory between sweeps.
type node struct {
	name  string
	stamp stamp  // as of just before it was listed
	kids  []node // the directories in it that are walked, by name
	file  *file  // nil: no manifest
	// entries of the directory, of every kind, when it was listed.
	entries int32
	// sweep is the number of the last sweep that came by; 0 for none.
	sweep uint32
	dork  dorkKind
	// settled: an equal stamp proves that kids, entries and dork still hold.
	settled bool
}

// dorkKind is what stands at .dork in a directory.
type dorkKind uint8

const (
	noDork    dorkKind = iota
	realDork           // a directory
	otherDork          // a link or a file: for the opener to judge
)

// file is what is remembered of one manifest between sweeps.
type file struct {
	stamp    stamp
	hash     uint64 // of its bytes; 0 where none were read
	settled  bool   // an equal stamp proves equal content
	slot     uint8  // its turn in the rotation of the scrub
	sighting agent.Sighting
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
	kids := make([]node, len(names))
	old := n.kids
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
	n.kids = kids
	return true
}

func (n *node) holds(names []string) bool {
	if len(n.kids) != len(names) {
		return false
	}
	for i := range names {
		if n.kids[i].name != names[i] {
			return false
		}
	}
	return true
}

// find is the node at rel ("" for n itself), nil when there is none.
func (n *node) find(rel string) *node {
	for rel != "" {
		name, rest, _ := strings.Cut(rel, "/")
		i, j := 0, len(n.kids)
		for i < j {
			if h := int(uint(i+j) >> 1); n.kids[h].name < name {
				i = h + 1
			} else {
				j = h
			}
		}
		if i == len(n.kids) || n.kids[i].name != name {
			return nil
		}
		n, rel = &n.kids[i], rest
	}
	return n
}

// collect appends every file that the sweep came by.
func (n *node) collect(sweep uint32, files []*file) []*file {
	if n.sweep != sweep {
		return files
	}
	if n.file != nil {
		files = append(files, n.file)
	}
	for i := range n.kids {
		files = n.kids[i].collect(sweep, files)
	}
	return files
}
