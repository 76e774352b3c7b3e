package maildir

import (
	"strings"

	"github.com/cespare/xxhash/v2"
)

// nameTable finds boxes by their names in whatever letter case: an open table
// of indexes with linear probing. It keeps no hashes: four bytes a slot, and
// seldom two slots to a name.
type nameTable struct {
	slots []uint32 // index + 1; 0: free. A power of two.
	used  int
}

// foldHash is equal for names that differ in letter case only.
func foldHash(name string) uint64 {
	var room [256]byte // as long as a name can be
	folded := room[:0]
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 0x80:
			return xxhash.Sum64String(strings.ToLower(name))
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		folded = append(folded, c)
	}
	return xxhash.Sum64(folded)
}

// find is the index of the first box with the name's hash that fits, -1 for
// none. Others of that hash are between it and the next free slot.
func (t *nameTable) find(name string, fits func(index int) bool) int {
	if t.used == 0 {
		return -1
	}
	mask := uint64(len(t.slots) - 1)
	for at := foldHash(name) & mask; t.slots[at] != 0; at = (at + 1) & mask {
		if index := int(t.slots[at] - 1); fits(index) {
			return index
		}
	}
	return -1
}

// add enters the last of the boxes.
func (t *nameTable) add(all []box) {
	if 4*len(all) > 3*len(t.slots) {
		t.fill(all)
		return
	}
	t.put(string(all[len(all)-1].name), len(all)-1)
}

// fill makes the table anew of all boxes, with room for more.
func (t *nameTable) fill(all []box) {
	size := 16
	for 3*len(all) > 2*size {
		size *= 2
	}
	t.slots, t.used = make([]uint32, size), 0
	for i := range all {
		t.put(string(all[i].name), i)
	}
}

func (t *nameTable) put(name string, index int) {
	mask := uint64(len(t.slots) - 1)
	at := foldHash(name) & mask
	for t.slots[at] != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = uint32(index + 1)
	t.used++
}

// move lets the slot of the box at one index name another.
func (t *nameTable) move(all []box, from, to int) {
	t.slots[t.slotOf(all, from)] = uint32(to + 1)
}

// remove takes a box out, and closes the gap that would end a search early.
func (t *nameTable) remove(all []box, index int) {
	mask := uint64(len(t.slots) - 1)
	gap := t.slotOf(all, index)
	for at := (gap + 1) & mask; t.slots[at] != 0; at = (at + 1) & mask {
		home := foldHash(string(all[t.slots[at]-1].name)) & mask
		if (at-home)&mask >= (at-gap)&mask {
			t.slots[gap], gap = t.slots[at], at
		}
	}
	t.slots[gap] = 0
	t.used--
}

func (t *nameTable) slotOf(all []box, index int) uint64 {
	mask := uint64(len(t.slots) - 1)
	at := foldHash(string(all[index].name)) & mask
	for t.slots[at] != uint32(index+1) {
		at = (at + 1) & mask
	}
	return at
}
