package controller

import (
	"context"
	"fmt"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Release ends the mass-disappearance hold of a scan root ("" for every root
// that has one): whoever is missing there now is gone for good, says an
// operator. It is durable, covers what is missing at this moment, and leaves
// their grace as it is. Releasing again covers what went missing since. A root
// of which nothing is recorded is ErrNotFound.
func (c *Controller) Release(ctx context.Context, root string) (SyncResult, error) {
	defer c.letGo(context.WithoutCancel(ctx))
	index, err := c.recorded(ctx)
	if err != nil {
		return SyncResult{}, err
	}
	known := index.Roots
	if root != "" {
		known = slices.DeleteFunc(slices.Clone(known), func(r agent.Root) bool { return r.Path != root })
		if len(known) == 0 && slices.Contains(recordedRoots(index), root) {
			known = []agent.Root{{Path: root}}
		}
		if len(known) == 0 {
			return SyncResult{}, fmt.Errorf("%s: %w: no agent was ever registered below it, so nothing is held there", root, ErrNotFound)
		}
	}
	now := c.ports.Clock.Now()
	released := slices.Clone(known)
	for i := range released {
		released[i].ReleasedAt = now
	}
	if len(released) > 0 {
		if err := c.commitRoots(ctx, released); err != nil {
			return SyncResult{}, err
		}
	}
	return c.Sync(ctx, SyncRequest{Trigger: "api"})
}
