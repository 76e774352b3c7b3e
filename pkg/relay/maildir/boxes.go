package maildir

import "github.com/mesh-registry/mesh-controller/pkg/agent"

// box is what is remembered of one entry of mailboxes/.
type box struct {
	subject agent.Subject
	id      agent.ID // "" for an entry that is not ours
	seen    uint64   // the pass that last saw it
	place   int32    // in boxes.order, but for a new one
	turn    uint8    // of lookPasses: when it is looked at whatever is remembered
	stamp   stamp
	settled bool
	state   boxState
	gone    bool // no longer in byName, perhaps still in order
}

// boxState is what a look at a mailbox says.
type boxState uint8

const (
	noBox   boxState = iota // not there, or not a directory
	halfBox                 // something of it is missing, or could not be seen
	wholeBox
)

// boxes remembers the mailboxes as List last saw them and as we left them
// since.
type boxes struct {
	byName map[string]*box
	// order is the directory's own, as it was last read: comparing with it costs
	// a fraction of asking byName.
	order []*box
	// stamp of the directory from just before it was last read. While settled,
	// an equal one proves that no name came or went.
	stamp   stamp
	settled bool
	folds   folds
	pass    uint64
	listed  bool // a List has ended
	buf     []byte
	arg     []byte // of a look
	moved   bool   // the listing that was handed out is no longer right
}

func newBoxes() boxes {
	return boxes{byName: map[string]*box{}, buf: make([]byte, 64<<10)}
}

// finding is a mailbox that a scan found other than remembered.
type finding struct {
	b    *box
	next box
}

// apply takes over what a whole scan found and returns the ids that it
// concerns, possibly more than once.
func (bs *boxes) apply(s *scanner) (changed []agent.ID) {
	if s.read && len(s.fresh) < len(bs.byName) {
		for name, b := range bs.byName {
			if b.seen != bs.pass {
				changed = append(changed, bs.drop(name, b)...)
			}
		}
	}
	for i := range s.findings {
		f := &s.findings[i]
		name := string(f.b.subject)
		if f.next.state != f.b.state {
			changed = append(changed, f.next.id)
			bs.moved = true
		}
		*f.b = f.next
		bs.folds.add(name)
	}
	if s.read {
		bs.order, bs.stamp, bs.settled = s.fresh, s.at, s.at.settled(s.now)
	}
	return changed
}

func (bs *boxes) drop(name string, b *box) (changed []agent.ID) {
	if b.state != noBox {
		changed = append(changed, b.id)
		bs.moved = true
	}
	delete(bs.byName, name)
	bs.folds.remove(name)
	b.gone, bs.settled = true, false
	return changed
}

// add remembers a name, and nothing of what stands there.
func (bs *boxes) add(name string) *box {
	b := &box{subject: agent.Subject(name), turn: uint8(len(bs.byName) % lookPasses)}
	_, b.id, _ = agent.ParseSubject(name)
	bs.byName[name] = b
	bs.folds.add(name)
	return b
}

// made and gone are our own changes, which the next List is not to report.
func (bs *boxes) made(s agent.Subject) {
	bs.folds.add(string(s))
	if !bs.listed {
		return
	}
	b := bs.byName[string(s)]
	if b == nil {
		b = bs.add(string(s))
		bs.settled = false
	}
	b.settled = false
	if b.state != wholeBox {
		b.state, bs.moved = wholeBox, true
	}
}

func (bs *boxes) gone(s agent.Subject) {
	if b := bs.byName[string(s)]; b != nil {
		bs.drop(string(s), b)
	}
	bs.folds.remove(string(s))
}
