package maildir

import (
	"context"
	"errors"
	"io/fs"
	"time"
	"unsafe"

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
	if fd < 0 { // like one without names
		bs.reading++
	}
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
	read     bool  // the directory was read, or is not there
	at       stamp // of the directory, from before it was read
	count    int   // of the names in it
	findings []finding
}

// finding is a mailbox that is other than remembered.
type finding struct {
	index    int
	sum, ino uint64
	state    boxState
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
	s.reading++
	err := eachName(s.fd, s.buf, func(name []byte, ino uint64) error { return s.found(ctx, name, ino) })
	if err != nil { // the next is the first after this one
		for i := range s.all {
			s.all[i].seen = s.reading
		}
	}
	return err
}

// again looks at those of the remembered that are to be looked at.
func (s *scanner) again(ctx context.Context) error {
	for i := range s.all {
		if s.due(&s.all[i]) {
			s.look(i)
		}
	}
	return ctx.Err()
}

// due reports whether a mailbox of ours is looked at though its name stands.
func (s *scanner) due(b *box) bool {
	return b.ours && (b.sum == 0 || uint64(b.turn) == s.pass%lookPasses)
}

func (s *scanner) found(ctx context.Context, name []byte, ino uint64) error {
	i := s.find(unsafe.String(unsafe.SliceData(name), len(name))) // which keeps nothing of it
	if i < 0 {
		i = s.add(string(name))
	}
	b := &s.all[i]
	if b.seen == s.reading {
		return nil // a directory that changes may name an entry twice
	}
	b.seen = s.reading
	s.count++
	if s.due(b) || b.ours && b.ino != ino {
		s.look(i)
		return ctx.Err()
	}
	return nil
}

// look is one stat for a mailbox that is as it was, and five for any other:
// the parts live and die in the directory, so its own stamp vouches for them.
func (s *scanner) look(index int) {
	b := &s.all[index]
	f := finding{index: index}
	s.arg = append(append(s.arg[:0], b.name...), "\x00failed\x00"...) // room for a part
	at, dir, err := lookAt(s.fd, s.arg[:len(b.name)+1])
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !dir:
		f.state = noBox
	case err != nil:
		f.state = halfBox
	default:
		f.ino = at.ino
		if b.sum != 0 && b.sum == at.sum() {
			return
		}
		sure := false
		f.state, sure = partsOf(s.fd, s.arg[:len(b.name)])
		if sure && at.settled(s.now) {
			f.sum = at.sum()
		}
	}
	s.findings = append(s.findings, f)
}

// partsOf tells whether a mailbox that is there is whole. A part that could
// not be seen makes it half, and unsure: making it whole will say why it
// cannot be. What lies behind the name in memory is written over.
func partsOf(dirfd int, name []byte) (state boxState, sure bool) {
	for _, p := range parts {
		_, dir, err := lookAt(dirfd, append(append(append(name, '/'), p...), 0))
		if err != nil || !dir {
			return halfBox, err == nil || absent(err)
		}
	}
	return wholeBox, true
}
