package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Retire implements relay.Backend. An empty mailbox goes by rmdir; one that
// holds anything, were it only a file that is no letter, moves as a whole to
// removed/<subject>.<timestamp>.
func (r *Relay) Retire(ctx context.Context, s agent.Subject, at time.Time) error {
	if err := address(s); err != nil {
		return fmt.Errorf("retire: %w", err)
	}
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	if err := r.retire(ctx, s, at); err != nil {
		return fmt.Errorf("retire %s: %w", s, err)
	}
	return nil
}

func (r *Relay) retire(ctx context.Context, s agent.Subject, at time.Time) error {
	for range maxRounds {
		if err := ctx.Err(); err != nil {
			return err
		}
		there, err := directory(r.box(s))
		if err != nil {
			return err
		}
		if !there {
			r.boxes.gone(s)
			delete(r.waiting, s)
			return nil
		}
		if r.mustWait(s) {
			return agent.ErrDeferred
		}
		if err := r.takeAway(s, at); err != nil {
			return err
		}
	}
	return errBusy
}

func (r *Relay) takeAway(s agent.Subject, at time.Time) error {
	bare, err := empty(r.box(s))
	if err != nil {
		return err
	}
	if bare {
		gone, err := dissolve(r.box(s))
		if gone {
			return syncDirs(r.mailboxes)
		}
		if err != nil {
			return err
		}
		// A letter landed meanwhile.
	}
	if err := makeDirs(r.removed); err != nil {
		return err
	}
	name, err := setAside(r.box(s), r.removed, string(s)+"."+at.UTC().Format(keptFormat))
	if err != nil {
		return err
	}
	r.keeping.put(name)
	return syncDirs(r.removed, r.mailboxes)
}

// setAside moves a mailbox into the directory and says under which name.
func setAside(path, dir, as string) (string, error) {
	for n := 1; n <= maxNames; n++ {
		name := as
		if n > 1 {
			name = fmt.Sprintf("%s-%d", as, n)
		}
		if err := atomicfile.Rename(path, dir+"/"+name); !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
	return "", fmt.Errorf("%s/%s: no free name", dir, as)
}

// Kept mailboxes are named <subject>.<timestamp>, with a number behind where
// two would be equal.
const keptFormat = "20060102T150405.000Z"

// isKeptStamp looks at the form alone.
func isKeptStamp(s string) bool {
	const digits = "0123456789"
	if len(s) < len(keptFormat) {
		return false
	}
	stamp, number := s[:len(keptFormat)], s[len(keptFormat):]
	for i := range len(stamp) {
		digit := keptFormat[i] >= '0' && keptFormat[i] <= '9'
		if digit && !strings.ContainsRune(digits, rune(stamp[i])) || !digit && stamp[i] != keptFormat[i] {
			return false
		}
	}
	n, numbered := strings.CutPrefix(number, "-")
	return number == "" || numbered && n != "" && strings.Trim(n, digits) == ""
}

// KeptDir is where a relay's directory has the mailboxes that were set aside.
// They are never deleted by this package.
func KeptDir(relayDir string) string { return filepath.Join(relayDir, "removed") }

// KeptSince tells by the name of an entry of KeptDir when the mailbox was set
// aside; false for a name that this package did not give.
func KeptSince(name string) (time.Time, bool) {
	_, stamp, ok := kept(name)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(keptFormat, stamp[:len(keptFormat)])
	return at, err == nil
}

// kept takes the name of a kept mailbox apart.
func kept(name string) (id agent.ID, stamp string, ok bool) {
	rest, ok := strings.CutPrefix(name, "relay.agent.")
	if !ok {
		return "", "", false
	}
	_, rest, _ = strings.Cut(rest, ".")
	last, stamp, _ := strings.Cut(rest, ".")
	return agent.ID(last), stamp, agent.ID(last).Valid() && isKeptStamp(stamp)
}

// Restore implements relay.Backend: the oldest kept mailbox first, letter by
// letter. Calling it again carries what an error left.
func (r *Relay) Restore(ctx context.Context, id agent.ID, s agent.Subject) error {
	if _, of, ok := agent.ParseSubject(string(s)); !ok || of != id {
		return fmt.Errorf("restore: %q is not an address of %s", s, id)
	}
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	if err := r.restore(ctx, id, s); err != nil {
		return fmt.Errorf("restore mail of %s: %w", s, err)
	}
	return nil
}

func (r *Relay) restore(ctx context.Context, id agent.ID, s agent.Subject) error {
	if r.keeping.names == nil {
		if err := r.keeping.refresh(r.removed, r.now()); err != nil {
			return err
		}
	}
	names := r.keeping.of(id)
	if len(names) == 0 {
		return nil
	}
	if err := r.ensure(s); err != nil {
		return err
	}
	for _, name := range names {
		if err := drain(ctx, r.removed+"/"+name, r.box(s)); err != nil {
			return err
		}
		r.keeping.taken(id, name)
	}
	return nil
}
