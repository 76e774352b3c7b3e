package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Release ends the mass-disappearance hold of a scan root ("" for every root):
// whoever is recorded as missing there is gone for good, says an operator. It
// is durable and leaves their grace as it is. Who goes missing later, or is
// found to be only now, is not covered: releasing again does that. A root of
// which nothing is recorded is ErrNotFound.
func (c *Controller) Release(ctx context.Context, root string) (SyncResult, error) {
	defer c.letGo(context.WithoutCancel(ctx))
	if err := c.release(ctx, root); err != nil {
		return SyncResult{}, err
	}
	return c.Sync(ctx, SyncRequest{Trigger: "api"})
}

// release records it. No sweep may be under way: one that began before would
// write back what it remembers of a root.
func (c *Controller) release(ctx context.Context, root string) error {
	c.sweeping.Lock()
	defer c.sweeping.Unlock()
	index, err := c.recorded(ctx)
	if err != nil {
		return err
	}
	roots := rememberedRoots(index)
	if root != "" {
		roots = slices.DeleteFunc(roots, func(r agent.Root) bool { return r.Path != root })
		if len(roots) == 0 {
			return fmt.Errorf("%s: %w: no agent is registered with this scan root, so nothing is held there", root, ErrNotFound)
		}
	}
	if len(roots) == 0 {
		return nil
	}
	now := c.ports.Clock.Now()
	for i := range roots {
		roots[i].ReleasedAt = releaseTime(index, roots[i].Path, now)
	}
	return c.commitRoots(ctx, roots)
}

// rememberedRoots are those of which something is recorded, and those that only
// rows name.
func rememberedRoots(l *agent.IndexListing) []agent.Root {
	roots := slices.Clone(l.Roots)
	for _, path := range recordedRoots(l) {
		if !slices.ContainsFunc(roots, func(r agent.Root) bool { return r.Path == path }) {
			roots = append(roots, agent.Root{Path: path})
		}
	}
	return roots
}

// releaseTime covers every recorded absence in the root: after the clock was
// set back, one may have begun later than now.
func releaseTime(l *agent.IndexListing, root string, now time.Time) time.Time {
	for i := range l.Entries {
		e := &l.Entries[i]
		if st, ok := l.States[e.ID]; ok && e.ScanRoot == root && st.MissingSince.After(now) {
			now = st.MissingSince
		}
	}
	return now
}
