package maildir

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Endpoints implements relay.Backend. A subject that is no address of ours is
// not there.
func (r *Relay) Endpoints(ctx context.Context, subjects []agent.Subject) ([]agent.Endpoint, error) {
	fd, err := openMailboxes(r.mailboxes)
	if err != nil || fd < 0 {
		return nil, err
	}
	defer unix.Close(fd)
	var list []agent.Endpoint
	name := make([]byte, 0, 256) // room for a part
	for _, s := range subjects {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if address(s) != nil {
			continue
		}
		name = append(append(name[:0], s...), 0)
		at, dir, err := lookAt(fd, name)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && !dir:
			continue
		case err != nil:
			return nil, &fs.PathError{Op: "stat", Path: r.box(s), Err: err}
		}
		whole := r.vouched(s, at)
		if !whole {
			state, _ := partsOf(fd, name[:len(s)])
			whole = state == wholeBox
		}
		list = append(list, agent.Endpoint{Subject: s, Whole: whole, In: r.mailboxes})
	}
	return list, nil
}

// vouched reports whether the stamp of a mailbox proves that it is whole, as it was
// when List looked at its parts. While somebody holds the gate it proves nothing.
func (r *Relay) vouched(s agent.Subject, at stamp) bool {
	if !r.gate.TryAcquire(1) {
		return false
	}
	defer r.unshare()
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.boxes.find(string(s))
	return i >= 0 && r.boxes.all[i].state == wholeBox && r.boxes.all[i].sum != 0 && r.boxes.all[i].sum == at.sum()
}

// Occupied implements relay.Backend. Every name that the namespace's rules
// match counts, also one whose last part could not be the id of an agent.
func (r *Relay) Occupied(ctx context.Context, namespace string) (bool, error) {
	if err := checkNamespace(namespace); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	occupied, err := r.occupied()
	return occupied[namespace], err
}

func (r *Relay) occupied() (map[string]bool, error) {
	fd, err := openMailboxes(r.mailboxes)
	if err != nil || fd < 0 {
		return nil, err
	}
	defer unix.Close(fd)
	occupied := map[string]bool{}
	err = eachName(fd, make([]byte, 64<<10), func(name []byte, _ uint64) error {
		rest, ok := strings.CutPrefix(string(name), "relay.agent.")
		ns, last, _ := strings.Cut(rest, ".")
		if ok && last != "" && !strings.Contains(last, ".") {
			occupied[ns] = true
		}
		return nil
	})
	if err != nil {
		return nil, &fs.PathError{Op: "list", Path: r.mailboxes, Err: err}
	}
	return occupied, nil
}

// load learns the names in the directory.
func (bs *boxes) load(path string) error {
	fd, err := openMailboxes(path)
	if err != nil {
		return err
	}
	if fd >= 0 {
		defer unix.Close(fd)
		err = eachName(fd, bs.buf, func(name []byte, _ uint64) error {
			if s := string(name); bs.find(s) < 0 {
				bs.add(s)
			}
			return nil
		})
	}
	bs.loaded = err == nil
	return err
}

func syncDirs(paths ...string) error {
	for _, p := range paths {
		if err := atomicfile.SyncDir(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
