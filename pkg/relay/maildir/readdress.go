package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Readdress implements relay.Backend. The new address is live before the old
// one goes, also when the rest is deferred. An error that is not ErrDeferred
// may leave letters in both; calling it again carries the rest.
func (r *Relay) Readdress(ctx context.Context, old, next agent.Subject) error {
	for _, s := range []agent.Subject{old, next} {
		if err := address(s); err != nil {
			return fmt.Errorf("readdress: %w", err)
		}
	}
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	if err := r.readdress(ctx, old, next); err != nil {
		return fmt.Errorf("readdress %s to %s: %w", old, next, err)
	}
	return nil
}

func (r *Relay) readdress(ctx context.Context, old, next agent.Subject) error {
	there, err := directory(r.box(old))
	if err != nil {
		return err
	}
	if !there || old == next {
		if err := r.ensure(next); err != nil {
			return err
		}
		if old != next {
			r.boxes.gone(old)
		}
		delete(r.waiting, old)
		return nil
	}
	if r.mustWait(old) {
		if err := r.ensure(next); err != nil {
			return err
		}
		return agent.ErrDeferred
	}
	if err := r.carryOver(ctx, old, next); err != nil {
		return err
	}
	r.boxes.gone(old)
	delete(r.waiting, old)
	delete(r.waiting, next)
	return nil
}

// carryOver is one rename where the new address is free, and letter by letter
// where it is not.
func (r *Relay) carryOver(ctx context.Context, old, next agent.Subject) error {
	if err := r.refuseVariant(next); err != nil {
		return err
	}
	err := atomicfile.Rename(r.box(old), r.box(next))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err == nil { // nobody was there under any spelling
		r.boxes.know(next)
	}
	if err := r.ensure(next); err != nil {
		return err
	}
	if err == nil {
		return syncDirs(r.mailboxes)
	}
	return drain(ctx, r.box(old), r.box(next))
}
