package controller

import (
	"context"
	"fmt"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// Adopt makes a place the home of the id that its manifest carries, whoever else
// carries it. The old home becomes the copy. A second call finds it at home.
func (c *Controller) Adopt(ctx context.Context, path string) (Outcome, error) {
	if err := c.ground(ctx, true); err != nil {
		return Outcome{}, err
	}
	return c.again(ctx, func() (Outcome, error) {
		return c.at(ctx, path, inLine, func(f *agent.ManifestFile) (Outcome, error) {
			if err := carriesManifest(f); err != nil {
				return Outcome{}, err
			}
			if err := c.placeable(f.Look.Manifest, f.Path); err != nil {
				return Outcome{}, err
			}
			return c.concluded(c.carry(ctx, &intent{
				id: f.Look.Manifest.ID, path: f.Path, order: plan.Order{Reason: agent.Relocated, Path: f.Path},
				ready:  func(t *task) error { return readyToMove(t, f.Path) },
				proven: func(t *task) error { return landsAt(t, f.Path) },
			}))
		})
	})
}

func carriesManifest(f *agent.ManifestFile) error {
	switch f.Look.Class {
	case agent.Present:
		return nil
	case agent.Invalid:
		return refuse("mend "+f.Path+"/.dork/agent.json first", "the manifest in %s is not valid: %v", f.Path, f.Look.Problem)
	case agent.Unknown, agent.OtherAgent, agent.FileMissing, agent.DirMissing, agent.VolumeGone:
	}
	return refuse("mesh-controller register "+f.Path+" makes one", "%s has no manifest", f.Path)
}

func readyToMove(t *task, path string) error {
	if err := operable(t); err != nil {
		return err
	}
	if err := relayAnswers(t); err != nil {
		return err
	}
	if t.obs.Twin != "" {
		return refuse("give it another id: mesh-controller reissue "+path, "the id %s differs only in letter case from %s, which is registered or still has its address", t.id, t.obs.Twin)
	}
	return nil
}

// Reissue gives the manifest at a place an id of its own: a copy becomes an
// agent of its own, with a row and an address. Everything else in the manifest
// stays. Each call makes another id.
func (c *Controller) Reissue(ctx context.Context, path string) (Outcome, error) {
	if err := c.ground(ctx, true); err != nil {
		return Outcome{}, err
	}
	return c.again(ctx, func() (Outcome, error) {
		return c.at(ctx, path, inLine, func(f *agent.ManifestFile) (Outcome, error) {
			if err := carriesManifest(f); err != nil {
				return Outcome{}, err
			}
			it, err := c.reissue(f)
			if err != nil {
				return Outcome{}, err
			}
			out, err := c.concluded(c.carry(ctx, it))
			if err != nil {
				return out, err
			}
			out.Message = fmt.Sprintf("it was %s", f.Look.Manifest.ID)
			return out, c.converged(ctx, f.Look.Manifest.ID)
		})
	})
}

func (c *Controller) reissue(f *agent.ManifestFile) (*intent, error) {
	id := c.newID()
	a, err := agent.Assign("id", string(id))
	if err != nil {
		return nil, err
	}
	next, err := agent.EditManifest(f.Data, []agent.Assignment{a})
	if err != nil {
		return nil, refuse("mend "+f.Path+"/.dork/agent.json first", "%s", err.Error())
	}
	// By its new id: what the old one may do as a system agent a copy may not.
	m := *f.Look.Manifest
	m.ID = id
	if err := c.placeable(&m, f.Path); err != nil {
		return nil, err
	}
	return &intent{
		id: id, path: f.Path, order: plan.Order{Reason: agent.Registered, Path: f.Path},
		ready:  func(t *task) error { return readyToTake(t, f.Path) },
		proven: func(t *task) error { return landsAt(t, f.Path) },
		write:  func(ctx context.Context, _ *task, u *undo) error { return c.replace(ctx, f.Path, f.Data, next, u) },
	}, nil
}

// converged waits until the loop has looked at an id that an order concerns too.
func (c *Controller) converged(ctx context.Context, id agent.ID) error {
	c.ledger.mark([]agent.ID{id}, c.ports.Clock.Now(), sourceFile)
	r := c.resyncs.of(c.sequence.Load(), []agent.ID{id})
	c.queue.Add(id)
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
