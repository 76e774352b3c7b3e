package maildir

import (
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// box is what is remembered of one entry of mailboxes/. There are as many as
// there are agents, so every byte counts.
type box struct {
	name  agent.Subject
	sum   uint64 // of the stamp; 0 while that is too young to be trusted
	ino   uint64
	next  uint32 // of those whose names have one hash: its index + 1
	turn  uint8  // of lookPasses: when it is looked at whatever is remembered
	seen  uint8  // the reading of the directory that last saw it
	state boxState
	ours  bool // an agent's; any other counts as nothing
}

// boxState is what a look at a mailbox says.
type boxState uint8

const (
	noBox    boxState = iota // not there, not a directory, or nobody has looked
	takenBox                 // not there yet: it is being made, under the gate
	halfBox                  // something of it is missing, or could not be seen
	wholeBox
)

// boxes remembers the mailboxes as List last saw them and as we left them
// since. It finds one by its name in whatever letter case: two names that
// differ in nothing else are one place on some file systems. Reading the
// directory for each registration, as the original does, is quadratic.
//
// A variant that somebody else made since the last List is not seen before the
// next one, which shows it to the planner: two ids with one fold.
type boxes struct {
	all   []box
	first map[uint64]uint32 // by the hash of the folded name: the index + 1
	// stamp of the directory from just before it was last read. While settled,
	// an equal one proves that no name came or went.
	stamp   stamp
	settled bool
	loaded  bool // the names are known
	pass    uint64
	reading uint8 // of the directory: the last
	listed  bool  // a List has ended
	buf     []byte
	arg     []byte // of a look
	moved   bool   // the listing that was handed out is no longer right
}

func newBoxes() boxes {
	return boxes{first: map[uint64]uint32{}, buf: make([]byte, 64<<10)}
}

// id of a mailbox that is ours.
func (b *box) id() agent.ID {
	return agent.ID(b.name[strings.LastIndexByte(string(b.name), '.')+1:])
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

// find is the index of a name, -1 for none.
func (bs *boxes) find(name string) int {
	for at := bs.first[foldHash(name)]; at > 0; at = bs.all[at-1].next {
		if string(bs.all[at-1].name) == name {
			return int(at - 1)
		}
	}
	return -1
}

// variant is another name that differs from this one in letter case only, nil
// for none.
func (bs *boxes) variant(name string) *box {
	for at := bs.first[foldHash(name)]; at > 0; at = bs.all[at-1].next {
		b := &bs.all[at-1]
		if other := string(b.name); other != name && strings.EqualFold(other, name) {
			return b
		}
	}
	return nil
}

// add remembers a name that is not known, and nothing of what stands there.
func (bs *boxes) add(name string) (index int) {
	index = len(bs.all)
	hash := foldHash(name)
	_, _, ours := agent.ParseSubject(name)
	bs.all = append(bs.all, box{
		name: agent.Subject(name), next: bs.first[hash], ours: ours,
		turn: uint8(index % lookPasses), seen: bs.reading - 1,
	})
	bs.first[hash] = uint32(index + 1)
	return index
}

// remove forgets a name; the last of all takes its index.
func (bs *boxes) remove(index int) {
	last := len(bs.all) - 1
	bs.relink(index, bs.all[index].next)
	if index != last {
		bs.relink(last, uint32(index+1))
		bs.all[index] = bs.all[last]
	}
	bs.all[last] = box{}
	bs.all = bs.all[:last]
}

// relink lets what leads to a box lead elsewhere.
func (bs *boxes) relink(index int, to uint32) {
	hash := foldHash(string(bs.all[index].name))
	at := bs.first[hash]
	if at == uint32(index+1) {
		if to == 0 {
			delete(bs.first, hash)
		} else {
			bs.first[hash] = to
		}
		return
	}
	for bs.all[at-1].next != uint32(index+1) {
		at = bs.all[at-1].next
	}
	bs.all[at-1].next = to
}

// apply takes over what a whole scan found and returns the ids that it
// concerns, possibly more than once.
func (bs *boxes) apply(s *scanner) (changed []agent.ID) {
	for i := range s.findings {
		f := &s.findings[i]
		b := &bs.all[f.index]
		if f.state != b.state {
			changed = append(changed, b.id())
			bs.moved = true
		}
		b.state, b.sum, b.ino = f.state, f.sum, f.ino
	}
	if !s.read {
		return changed
	}
	bs.stamp, bs.settled = s.at, s.at.settled(s.now)
	for i := len(bs.all) - 1; i >= 0 && s.count < len(bs.all); i-- {
		b := &bs.all[i]
		if b.seen == bs.reading {
			continue
		}
		if b.state != noBox {
			changed = append(changed, b.id())
			bs.moved = true
		}
		bs.remove(i)
	}
	return changed
}

// made and gone are our own changes, which the next List is not to report.
func (bs *boxes) made(s agent.Subject) {
	i := bs.find(string(s))
	if i < 0 {
		i = bs.add(string(s))
	}
	b := &bs.all[i]
	if !bs.listed { // the first List reports it
		b.state = noBox
		return
	}
	b.sum, bs.settled = 0, false
	if b.state != wholeBox {
		b.state, bs.moved = wholeBox, true
	}
}

func (bs *boxes) gone(s agent.Subject) {
	i := bs.find(string(s))
	if i < 0 {
		return
	}
	if bs.all[i].state != noBox {
		bs.moved = true
	}
	bs.remove(i)
	bs.settled = false
}
