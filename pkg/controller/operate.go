package controller

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Deny puts a real path on the deny list: nothing there or below is registered,
// and whoever is leaves index and relay at once, its files untouched. Denying a
// path again finds nothing to do.
func (c *Controller) Deny(ctx context.Context, path string) (SyncResult, error) {
	if err := c.ports.Index.Deny(ctx, path, "denied by an operator", c.ports.Clock.Now()); err != nil {
		return SyncResult{}, err
	}
	return c.Sync(ctx, SyncRequest{Trigger: "api", below: path})
}

// Undeny takes a path off the deny list; what lies there is registered again.
// ErrNotFound where it was not on it.
func (c *Controller) Undeny(ctx context.Context, path string) (SyncResult, error) {
	found, err := c.ports.Index.Undeny(ctx, path)
	if err != nil {
		return SyncResult{}, err
	}
	if !found {
		return SyncResult{}, fmt.Errorf("%s: %w: it is not on the deny list", path, ErrNotFound)
	}
	return c.Sync(ctx, SyncRequest{Trigger: "api", below: path})
}

// Denials lists the deny list in the order of its paths.
func (c *Controller) Denials(ctx context.Context) (DenialsResult, error) {
	list, err := c.ports.Index.Denials(ctx)
	if err != nil {
		return DenialsResult{}, err
	}
	result := DenialsResult{APIVersion: APIVersion, Denials: []Denial{}}
	for _, d := range list {
		result.Denials = append(result.Denials, Denial{Path: d.Path, Reason: d.Reason, Since: Time(d.Since)})
	}
	return result, nil
}

// Pause switches converging off, of one agent (id or path) or of all (""), until
// Resume. It is durable. Observing goes on. Pausing again changes nothing.
func (c *Controller) Pause(ctx context.Context, target string) error {
	return c.setPaused(ctx, target, true)
}

// Resume switches converging on again and looks at whom it concerns. Resuming
// all does not resume whoever was paused alone.
func (c *Controller) Resume(ctx context.Context, target string) error {
	if err := c.setPaused(ctx, target, false); err != nil {
		return err
	}
	if !c.options.Load().OneShot {
		c.Trigger("api", true)
	}
	return nil
}

func (c *Controller) setPaused(ctx context.Context, target string, paused bool) error {
	if target == "" {
		if err := c.ports.Index.SetPaused(ctx, paused); err != nil {
			return err
		}
		c.paused.Store(paused)
		c.gauge()
		return c.rest()
	}
	defer c.letGo(context.WithoutCancel(ctx))
	id, err := c.pausable(ctx, target)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		err := c.setPausedOf(ctx, id, paused)
		if !errors.Is(err, agent.ErrConflict) || n == conflictsInARow {
			return err
		}
	}
}

// pausable is whom an operator means: a registered agent, or an id that was
// paused and has lost its row since. It would not get one until it is resumed.
func (c *Controller) pausable(ctx context.Context, target string) (agent.ID, error) {
	id, _, err := c.registeredAgent(ctx, target)
	if !errors.Is(err, ErrNotFound) {
		return id, err
	}
	id = agent.ID(target)
	views, _, readErr := c.ports.Index.Read(ctx, []agent.ID{id}, nil)
	if readErr != nil {
		return "", readErr
	}
	if st := views[id].State; st == nil || !st.Paused {
		return "", err
	}
	return id, nil
}

func (c *Controller) setPausedOf(ctx context.Context, id agent.ID, paused bool) error {
	c.applying.Lock()
	defer c.applying.Unlock()
	views, _, err := c.ports.Index.Read(ctx, []agent.ID{id}, nil)
	if err != nil {
		return err
	}
	now, _ := c.ports.Clock.Read()
	return c.commitOne(ctx, agent.Change{ID: id, At: now, Expected: views[id].Row, Pause: &paused, Durable: true})
}
