package maildir

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// box is what is remembered of one entry of mailboxes/.
type box struct {
	subject agent.Subject
	id      agent.ID // "" for an entry that is not ours
	seen    uint64   // the pass that last saw it
	stamp   stamp
	settled bool
	state   boxState
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
	folds  folds
	pass   uint64
	listed bool // a List has ended
	buf    []byte
	moved  bool // the listing that was handed out is no longer right
}

func newBoxes() boxes {
	return boxes{byName: map[string]*box{}, buf: make([]byte, 64<<10)}
}

// openMailboxes returns -1 where there is no such directory.
func openMailboxes(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return -1, nil
	case err != nil:
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// finding is a mailbox that a scan found other than remembered.
type finding struct {
	b    *box
	next box
}

// scan reads the directory once and looks at each mailbox of ours. Nothing of
// what is remembered changes until the whole directory was read: a listing is
// complete or it is an error.
func (bs *boxes) scan(ctx context.Context, path string, now time.Time) ([]agent.ID, error) {
	fd, err := openMailboxes(path)
	if err != nil {
		return nil, err
	}
	bs.pass++
	s := scanner{boxes: bs, fd: fd, now: now}
	if fd >= 0 {
		defer unix.Close(fd)
		err = eachName(fd, bs.buf, func(name []byte) error { return s.name(ctx, name) })
		if err != nil {
			return nil, &fs.PathError{Op: "list", Path: path, Err: err}
		}
	}
	return bs.apply(&s), nil
}

// scanner is one pass over the directory.
type scanner struct {
	*boxes
	fd       int
	now      time.Time
	met      int // remembered ones that were met again
	findings []finding
}

func (s *scanner) name(ctx context.Context, name []byte) error {
	b := s.byName[string(name)]
	if b == nil {
		b = &box{subject: agent.Subject(name)}
		_, b.id, _ = agent.ParseSubject(string(name))
		s.look(b)
		return ctx.Err()
	}
	if b.seen != s.pass {
		b.seen = s.pass
		s.met++
	}
	if b.id != "" {
		s.look(b)
	}
	return nil
}

// look is one stat for a mailbox that is as it was, and five for any other:
// the parts live and die in the directory, so its own stamp vouches for them.
func (s *scanner) look(b *box) {
	next := *b
	next.seen = s.pass
	if b.id != "" {
		var st unix.Stat_t
		err := unix.Fstatat(s.fd, string(b.subject), &st, unix.AT_SYMLINK_NOFOLLOW)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && !isDir(&st):
			next.state, next.stamp, next.settled = noBox, stamp{}, false
		case err != nil:
			next.state, next.stamp, next.settled = halfBox, stamp{}, false
		default:
			at := stampOf(&st)
			if at == b.stamp && b.settled {
				return
			}
			sure := false
			next.state, sure = partsOf(s.fd, string(b.subject))
			next.stamp, next.settled = at, sure && at.settled(s.now)
		}
	}
	s.findings = append(s.findings, finding{b, next})
}

// partsOf tells whether a mailbox that is there is whole. A part that could
// not be seen makes it half, and unsure: making it whole will say why it
// cannot be.
func partsOf(dirfd int, name string) (state boxState, sure bool) {
	for _, p := range parts {
		var st unix.Stat_t
		err := unix.Fstatat(dirfd, name+"/"+p, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err != nil || !isDir(&st) {
			return halfBox, err == nil || absent(err)
		}
	}
	return wholeBox, true
}

// apply takes over what a whole scan found and returns the ids that it
// concerns, possibly more than once.
func (bs *boxes) apply(s *scanner) (changed []agent.ID) {
	if s.met < len(bs.byName) {
		for name, b := range bs.byName {
			if b.seen != bs.pass {
				changed = append(changed, bs.drop(name, b)...)
			}
		}
	}
	for _, f := range s.findings {
		name := string(f.b.subject)
		if f.next.state != f.b.state {
			changed = append(changed, f.next.id)
			bs.moved = true
		}
		*f.b = f.next
		bs.byName[name] = f.b
		bs.folds.add(name)
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
	return changed
}
