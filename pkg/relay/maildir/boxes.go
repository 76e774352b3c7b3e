package maildir

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// box is what is remembered of one entry of mailboxes/. There are as many as
// there are agents, so every byte counts.
type box struct {
	name  agent.Subject
	sum   uint64 // of the stamp; 0 while that is too young to be trusted
	ino   uint64
	turn  uint8 // of lookPasses: when it is looked at whatever is remembered
	seen  uint8 // the reading of the directory that last saw it
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
	names nameTable
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
	return boxes{buf: make([]byte, 64<<10)}
}

// find is the index of a name, -1 for none.
func (bs *boxes) find(name string) int {
	return bs.names.find(name, func(i int) bool { return string(bs.all[i].name) == name })
}

// variant is another name that differs from this one in letter case only, nil
// for none.
func (bs *boxes) variant(name string) *box {
	i := bs.names.find(name, func(i int) bool {
		other := string(bs.all[i].name)
		return other != name && strings.EqualFold(other, name)
	})
	if i < 0 {
		return nil
	}
	return &bs.all[i]
}

// add remembers a name that is not known, and nothing of what stands there.
func (bs *boxes) add(name string) (index int) {
	index = len(bs.all)
	_, _, ours := agent.ParseSubject(name)
	bs.all = append(bs.all, box{name: agent.Subject(name), ours: ours, turn: uint8(index % lookPasses), seen: bs.reading - 1})
	bs.names.add(bs.all)
	return index
}

// remove forgets a name; the last of all takes its index.
func (bs *boxes) remove(index int) {
	last := len(bs.all) - 1
	bs.names.remove(bs.all, index)
	if index != last {
		bs.names.move(bs.all, last, index)
		bs.all[index] = bs.all[last]
	}
	bs.all[last] = box{}
	bs.all = bs.all[:last]
}

// arrange puts the boxes in the order in which they are listed, in which as good
// as all of them are already.
func (bs *boxes) arrange() {
	if slices.IsSortedFunc(bs.all, byID) {
		return
	}
	slices.SortFunc(bs.all, byID)
	bs.names.fill(bs.all)
}

func byID(a, b box) int {
	return cmp.Or(cmp.Compare(a.name.ID(), b.name.ID()), cmp.Compare(a.name, b.name))
}

// ids of all that stand, possibly more than once.
func (bs *boxes) ids() []agent.ID {
	ids := make([]agent.ID, 0, len(bs.all))
	for i := range bs.all {
		if bs.all[i].state != noBox {
			ids = append(ids, bs.all[i].name.ID())
		}
	}
	return ids
}

// apply takes over what a whole scan found and returns the ids that it
// concerns, possibly more than once.
func (bs *boxes) apply(s *scanner) (changed []agent.ID) {
	for i := range s.findings {
		f := &s.findings[i]
		b := &bs.all[f.index]
		if f.state != b.state {
			changed = append(changed, b.name.ID())
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
			changed = append(changed, b.name.ID())
			bs.moved = true
		}
		bs.remove(i)
	}
	return changed
}

// know remembers the name of a mailbox that nobody has looked at.
func (bs *boxes) know(s agent.Subject) {
	if bs.find(string(s)) < 0 {
		bs.add(string(s))
	}
}

// made and gone are our own changes, which the next List is not to report.
func (bs *boxes) made(s agent.Subject) {
	i := bs.find(string(s))
	if i < 0 {
		i = bs.add(string(s))
	}
	b := &bs.all[i]
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
