package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// EnsureEndpoint implements relay.Backend. It makes what is missing and leaves
// the modes of what is there; new directories are 0700. A subject that differs
// from an existing mailbox in letter case only is refused (see boxes).
//
// A new mailbox costs five mkdirat, and those that are made at once share one
// open of the directory.
func (r *Relay) EnsureEndpoint(ctx context.Context, s agent.Subject) error {
	if err := address(s); err != nil {
		return fmt.Errorf("ensure endpoint: %w", err)
	}
	if err := r.share(ctx); err != nil {
		return err
	}
	defer r.unshare()
	if err := r.ensure(s); err != nil {
		return fmt.Errorf("ensure endpoint %s: %w", s, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, s)
	return nil
}

// ensure is called with the gate held, if only shared.
func (r *Relay) ensure(s agent.Subject) error {
	known, err := r.reserve(s)
	if err != nil {
		return err
	}
	if !known || !isWhole(r.box(s)) {
		err = r.make(s, known)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.boxes.made(s)
	case !known:
		r.boxes.gone(s)
	}
	return err
}

// reserve takes the name, so that of two that differ in letter case only one is
// made, and reports whether it was known before.
func (r *Relay) reserve(s agent.Subject) (known bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refuseVariant(s); err != nil {
		return false, err
	}
	if r.boxes.find(string(s)) >= 0 {
		return true, nil
	}
	r.boxes.all[r.boxes.add(string(s))].state = takenBox
	return false, nil
}

func isWhole(path string) bool {
	there, err := directory(path)
	if err != nil || !there {
		return false
	}
	state, _ := partsOf(unix.AT_FDCWD, []byte(path))
	return state == wholeBox
}

// workshop is the mailboxes' directory, open for as long as anybody makes a
// mailbox in it, and no longer: a descriptor would keep a volume from being
// unmounted, and outlive a directory that somebody puts in its place.
type workshop struct{ fd, users int }

// open joins those who make mailboxes, and makes the directory where there is
// none.
func (r *Relay) open() (*workshop, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shop == nil {
		fd, err := openMailboxes(r.mailboxes)
		if err == nil && fd < 0 {
			if err = makeDirs(r.mailboxes); err == nil {
				fd, err = openMailboxes(r.mailboxes)
			}
		}
		switch {
		case err != nil:
			return nil, err
		case fd < 0: // it went at once
			return nil, &fs.PathError{Op: "open", Path: r.mailboxes, Err: unix.ENOENT}
		}
		r.shop = &workshop{fd: fd}
	}
	r.shop.users++
	return r.shop, nil
}

// leaveShop closes it behind the last.
func (r *Relay) leaveShop(w *workshop) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.users--
	if w.users > 0 {
		return
	}
	_ = unix.Close(w.fd) // nothing was written to it
	if r.shop == w {
		r.shop = nil
	}
}

// condemn is for a directory that was removed: nobody joins those who are still
// in it.
func (r *Relay) condemn(w *workshop) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shop == w {
		r.shop = nil
	}
}

func (r *Relay) make(s agent.Subject, known bool) error {
	w, err := r.open()
	if err != nil {
		return err
	}
	err = r.makeIn(w, s, known)
	if errors.Is(err, fs.ErrNotExist) { // removed under our hands
		r.condemn(w)
		r.leaveShop(w)
		if w, err = r.open(); err != nil {
			return err
		}
		err = r.makeIn(w, s, known)
	}
	r.leaveShop(w)
	return err
}

// makeIn refuses whatever is there and is no directory, links too: what a
// mkdir has just made is one, what was there before is looked at.
func (r *Relay) makeIn(w *workshop, s agent.Subject, known bool) error {
	var room [maxName]byte
	name := append(room[:0], s...)
	err := mkdirAt(w.fd, append(name, 0))
	switch {
	case errors.Is(err, fs.ErrExist):
		if err := r.exact(s, known); err != nil {
			return err
		}
	case err != nil:
		return &fs.PathError{Op: "mkdir", Path: r.box(s), Err: err}
	}
	for _, p := range parts {
		err := mkdirAt(w.fd, append(append(append(name, '/'), p...), 0))
		switch {
		case errors.Is(err, fs.ErrExist):
			if err := mustBeDirectory(r.box(s) + "/" + p); err != nil {
				return err
			}
		case err != nil:
			return &fs.PathError{Op: "mkdir", Path: r.box(s) + "/" + p, Err: err}
		}
	}
	return nil
}

// maxName is room enough for a part of a mailbox, relative to the mailboxes.
const maxName = 256

// exact is asked when a directory was there already: some file systems say so
// of one with another spelling, and it may be no directory at all.
func (r *Relay) exact(s agent.Subject, known bool) error {
	if !known {
		if err := r.refuseSpelling(s); err != nil {
			return err
		}
	}
	return mustBeDirectory(r.box(s))
}

func mustBeDirectory(path string) error {
	there, err := directory(path)
	if err == nil && !there {
		err = fmt.Errorf("%s: %w", path, errInTheWay)
	}
	return err
}

// refuseSpelling looks at the names in the directory.
func (r *Relay) refuseSpelling(s agent.Subject) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.boxes.load(r.mailboxes); err != nil {
		return err
	}
	return r.refuseVariant(s)
}

// refuseVariant looks at the name that is remembered, not at the directory.
func (r *Relay) refuseVariant(s agent.Subject) error {
	if !r.boxes.loaded {
		if err := r.boxes.load(r.mailboxes); err != nil {
			return err
		}
	}
	other := r.boxes.variant(string(s))
	if other == nil {
		return nil
	}
	there, err := directory(r.box(other.name))
	if err == nil && (there || other.state == takenBox) {
		err = fmt.Errorf("it differs only in letter case from the mailbox %s", other.name)
	}
	return err
}

// makeDirs makes a directory and its parents, 0700 where they are new.
func makeDirs(path string) error { return os.MkdirAll(path, 0o700) }
