package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	for _, s := range subjects {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if address(s) != nil {
			continue
		}
		var st unix.Stat_t
		err := unix.Fstatat(fd, string(s), &st, unix.AT_SYMLINK_NOFOLLOW)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && !isDir(&st):
			continue
		case err != nil:
			return nil, &fs.PathError{Op: "stat", Path: r.box(s), Err: err}
		}
		state, _ := partsOf(fd, string(s))
		list = append(list, r.endpoint(s, state))
	}
	return list, nil
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

// EnsureEndpoint implements relay.Backend. It makes what is missing and leaves
// the modes of what is there; new directories are 0700. A subject that differs
// from an existing mailbox in letter case only is refused (see folds).
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
		r.boxes.folds.remove(string(s))
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
	known = r.boxes.folds.knows(string(s))
	r.boxes.folds.add(string(s))
	return known, nil
}

func (r *Relay) make(s agent.Subject, known bool) error {
	path := r.box(s)
	err := unix.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDirs(r.mailboxes); err != nil {
			return err
		}
		err = unix.Mkdir(path, 0o700)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		if err := r.exact(s, known); err != nil {
			return err
		}
	case err != nil:
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	for _, p := range parts {
		if err := makeDir(path + "/" + p); err != nil {
			return err
		}
	}
	return nil
}

func isWhole(path string) bool {
	there, err := directory(path)
	if err != nil || !there {
		return false
	}
	state, _ := partsOf(unix.AT_FDCWD, path)
	return state == wholeBox
}

// refuseVariant looks at the name that is remembered, not at the directory.
func (r *Relay) refuseVariant(s agent.Subject) error {
	if !r.boxes.folds.loaded {
		if err := r.boxes.loadFolds(r.mailboxes); err != nil {
			return err
		}
	}
	name, ok := r.boxes.folds.variant(string(s))
	if !ok {
		return nil
	}
	there, err := directory(r.mailboxes + "/" + name)
	switch {
	case err != nil:
		return err
	case there:
		return fmt.Errorf("it differs only in letter case from the mailbox %s", name)
	}
	r.boxes.folds.remove(name)
	return nil
}

// exact is asked when a directory was there already: some file systems say so
// of one with another spelling, and it may be no directory at all.
func (r *Relay) exact(s agent.Subject, known bool) error {
	if !known {
		if err := r.refuseSpelling(s); err != nil {
			return err
		}
	}
	there, err := directory(r.box(s))
	if err == nil && !there {
		err = fmt.Errorf("%s: %w", r.box(s), errInTheWay)
	}
	return err
}

// refuseSpelling looks at the names in the directory.
func (r *Relay) refuseSpelling(s agent.Subject) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.boxes.loadFolds(r.mailboxes); err != nil {
		return err
	}
	return r.refuseVariant(s)
}

func (bs *boxes) loadFolds(path string) error {
	fd, err := openMailboxes(path)
	if err != nil {
		return err
	}
	if fd >= 0 {
		defer unix.Close(fd)
		err = eachName(fd, bs.buf, func(name []byte, _ uint64) error {
			bs.folds.add(string(name))
			return nil
		})
	}
	bs.folds.loaded = err == nil
	return err
}

func makeDir(path string) error {
	err := unix.Mkdir(path, 0o700)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrExist):
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	there, err := directory(path)
	if err == nil && !there {
		err = fmt.Errorf("%s: %w", path, errInTheWay)
	}
	return err
}

// makeDirs makes a directory and its parents, 0700 where they are new.
func makeDirs(path string) error { return os.MkdirAll(path, 0o700) }

func syncDirs(paths ...string) error {
	for _, p := range paths {
		if err := atomicfile.SyncDir(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
