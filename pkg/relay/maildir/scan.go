package maildir

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// lookPasses is in how many passes every mailbox is looked at and the directory
// is read at least once, in rotation, whatever is remembered: a part that went
// moves the stamp of its mailbox alone, which nothing above tells. Fewer would
// cost a stat per mailbox more often, more would leave a damaged mailbox for
// longer. A mailbox is also looked at whenever its agent is.
const lookPasses = 12

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

// scan looks at what may have changed since the last pass. Nothing of what is
// remembered changes until all was seen: a listing is complete or it is an
// error.
func (bs *boxes) scan(ctx context.Context, path string, now time.Time) ([]agent.ID, error) {
	fd, err := openMailboxes(path)
	if err != nil {
		return nil, err
	}
	bs.pass++
	s := scanner{boxes: bs, fd: fd, now: now, read: true}
	if fd >= 0 {
		defer unix.Close(fd)
		if err := s.scan(ctx); err != nil {
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
	read     bool   // the directory was read, or is not there
	at       stamp  // of the directory, from before it was read
	fresh    []*box // the order of this time
	next     int    // where in the old order the next name is expected
	findings []finding
}

// scan reads the directory unless its stamp vouches for the names in it.
func (s *scanner) scan(ctx context.Context) error {
	var st unix.Stat_t
	if err := unix.Fstat(s.fd, &st); err != nil {
		return err
	}
	s.at = stampOf(&st)
	if s.settled && s.at == s.stamp && s.pass%lookPasses != 0 {
		s.read = false
		return s.again(ctx)
	}
	s.fresh = make([]*box, 0, len(s.order))
	return eachName(s.fd, s.buf, func(name []byte, ino uint64) error { return s.name(ctx, name, ino) })
}

// again looks at those of the remembered that are to be looked at.
func (s *scanner) again(ctx context.Context) error {
	for _, b := range s.order {
		if s.due(b) {
			s.look(b)
		}
	}
	return ctx.Err()
}

// due reports whether a mailbox of ours is looked at though its name stands.
func (s *scanner) due(b *box) bool {
	return b.id != "" && (!b.settled || uint64(b.turn) == s.pass%lookPasses)
}

func (s *scanner) name(ctx context.Context, name []byte, ino uint64) error {
	b := s.known(name)
	if b == nil {
		b = s.add(string(name))
	}
	if b.seen == s.pass {
		return nil // a directory that changes may name an entry twice
	}
	b.seen, b.place = s.pass, int32(len(s.fresh))
	s.fresh = append(s.fresh, b)
	if s.due(b) || b.id != "" && b.stamp.ino != ino {
		s.look(b)
		return ctx.Err()
	}
	return nil
}

// known is the remembered box of a name, nil for none. Names come in the order
// of the last time but for those that came and went.
func (s *scanner) known(name []byte) *box {
	if s.next < len(s.order) {
		if b := s.order[s.next]; !b.gone && string(b.subject) == string(name) {
			s.next++
			return b
		}
	}
	b := s.byName[string(name)]
	if b != nil {
		s.next = int(b.place) + 1
	}
	return b
}

// look is one stat for a mailbox that is as it was, and five for any other:
// the parts live and die in the directory, so its own stamp vouches for them.
func (s *scanner) look(b *box) {
	next := *b
	if b.id != "" {
		s.arg = append(append(s.arg[:0], b.subject...), 0)
		at, dir, err := lookAt(s.fd, s.arg)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && !dir:
			next.state, next.stamp, next.settled = noBox, stamp{}, false
		case err != nil:
			next.state, next.stamp, next.settled = halfBox, stamp{}, false
		default:
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
