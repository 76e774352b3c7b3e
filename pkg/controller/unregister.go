package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// Unregister takes an agent out: its manifest (nothing else of the project),
// then its address, its row, and the rules that nobody needs any more. That it
// was ordered is recorded before the file goes, so that it is finished whatever
// happens in between, and by the loop where the relay does not answer. Mail is
// kept aside. A second call finds no agent.
func (c *Controller) Unregister(ctx context.Context, req UnregisterRequest) (Outcome, error) {
	// Copies that appeared since the last sweep count too.
	if err := c.ground(ctx, true); err != nil {
		return Outcome{}, err
	}
	return c.again(ctx, func() (Outcome, error) {
		id, path, err := c.departing(ctx, req.Target)
		if err != nil {
			return Outcome{}, err
		}
		leave, err := c.enter(ctx, path, inLine)
		if err != nil {
			return Outcome{}, err
		}
		defer leave()
		out, err := c.carry(ctx, c.departure(id, req.AllCopies))
		if err != nil {
			return Outcome{}, err
		}
		out.Reason = agent.Unregistered
		if out.Path == "" {
			out.Path = path
		}
		return out, nil
	})
}

// departing is whom to unregister: a row's, or a displaced id in its grace.
func (c *Controller) departing(ctx context.Context, target string) (agent.ID, string, error) {
	id, row, err := c.registeredAgent(ctx, target)
	if err == nil {
		return id, row.Path, nil
	}
	if t, ok := c.current.Load().index.Displaced[agent.ID(target)]; ok {
		return t.ID, t.Record.Path, nil
	}
	return "", "", err
}

func (c *Controller) departure(id agent.ID, allCopies bool) *intent {
	it := &intent{id: id, order: plan.Order{Reason: agent.Unregistered}}
	it.ready = func(t *task) error {
		if err := readyToLeave(t, allCopies); err != nil {
			return err
		}
		return c.proven(t)
	}
	it.write = func(ctx context.Context, t *task, u *undo) error {
		err := c.depart(ctx, t, u)
		it.final = err == nil
		return err
	}
	return it
}

// readyToLeave lets an agent go whose manifest is where it is known to be, or
// is proven to be gone.
func readyToLeave(t *task, allCopies bool) error {
	if err := operable(t); err != nil {
		return err
	}
	var copies []string
	for i := range t.obs.Claims {
		switch c := &t.obs.Claims[i]; {
		case c.Look.Class == agent.Unknown:
			return fmt.Errorf("could not tell whether %s carries the id too: %s", c.Look.Path, c.Look.Err)
		case c.Look.Class == agent.Present && c.Look.Manifest.ID == t.id && !c.Denied:
			copies = append(copies, c.Look.Path)
		}
	}
	if len(copies) > 0 && !allCopies {
		return refuse("--all-copies takes the manifests of all of them; mesh-controller reissue "+copies[0]+" gives the copy an id of its own",
			"another copy of %s lies in %s: it would be registered in its place", t.id, strings.Join(copies, ", "))
	}
	if t.obs.Row == nil {
		return nil
	}
	home := t.obs.Home.Look
	switch t.plan.Absent {
	case agent.VolumeGone:
		return refuse("mount its drive and unregister it then, or leave it: it goes by itself when unmounted-grace is over",
			"the drive of %s is not there: the agent would return with it", home.Path)
	case agent.Unknown, agent.Present, agent.OtherAgent, agent.Invalid, agent.FileMissing, agent.DirMissing:
	}
	switch home.Class {
	case agent.Unknown:
		return fmt.Errorf("could not tell what is in %s: %s", home.Path, home.Err)
	case agent.Invalid:
		return refuse("mend it, or delete the file, and unregister it then", "the manifest in %s is not valid, so it may be anybody's: %v", home.Path, home.Problem)
	case agent.Present, agent.OtherAgent, agent.FileMissing, agent.DirMissing, agent.VolumeGone:
	}
	return nil
}

// proven refuses to let an agent go that has no manifest in sight while part of
// the disk could not be listed: one that moved there would be back with the next
// sweep that sees it, whatever the answer was.
func (c *Controller) proven(t *task) error {
	if t.obs.Complete || t.obs.Row == nil || !t.obs.Home.Look.Judge(t.id, agent.Mount{}).Absent() {
		return nil
	}
	lacks := c.current.Load().files.LacksFor(t.obs.Row.Path)
	return refuse("run it again when that can be listed",
		"the manifest of %s is gone from %s and may have moved, since part of the disk could not be listed (%s)", t.id, t.obs.Row.Path, lacks)
}

// depart records the order and takes the manifests away: the copies first, so
// that nothing is left to take the agent's place. The home's is the last: with
// it the order cannot be taken back.
func (c *Controller) depart(ctx context.Context, t *task, u *undo) error {
	if err := c.recordDeparture(ctx, t, u); err != nil {
		return err
	}
	places := []string{}
	for i := range t.obs.Claims {
		places = append(places, t.obs.Claims[i].Look.Path)
	}
	if t.obs.Row != nil {
		places = append(places, t.obs.Row.Path)
	}
	for _, path := range places {
		if err := c.takeManifest(ctx, t.id, path, u); err != nil {
			return err
		}
	}
	return nil
}

// recordDeparture buries the agent before it is gone. A crash right after it
// leaves a manifest, which voids the record.
func (c *Controller) recordDeparture(ctx context.Context, t *task, u *undo) error {
	was := t.obs.Tombstone
	buried := agent.Tombstone{ID: t.id, Reason: agent.Unregistered, At: t.obs.Now.Wall}
	switch {
	case t.obs.Row != nil:
		buried.Record = *t.obs.Row
	case was != nil:
		buried.Record = was.Record
	}
	u.push(func(ctx context.Context) error {
		ch := agent.Change{ID: t.id, At: t.obs.Now, Expected: t.obs.Row, Bury: was, Unbury: was == nil, Durable: true}
		return c.commitOne(ctx, ch)
	})
	ch := agent.Change{ID: t.id, At: t.obs.Now, Expected: t.obs.Row, Bury: &buried, Durable: true}
	if t.obs.Row == nil { // its address alone says where it was, and goes before anything else is written
		for _, e := range t.obs.Relay.Endpoints {
			if ns, _, ok := agent.ParseSubject(string(e.Subject)); ok {
				ch.Left = append(ch.Left, ns)
			}
		}
	}
	return c.commitOne(ctx, ch)
}

func (c *Controller) commitOne(ctx context.Context, ch agent.Change) error {
	errs, err := c.ports.Index.Commit(ctx, []agent.Change{ch})
	if err != nil {
		return err
	}
	return errs[0]
}

// takeManifest takes one manifest away if it still carries the id.
func (c *Controller) takeManifest(ctx context.Context, id agent.ID, path string, u *undo) error {
	f, err := c.ports.Sources.Inspect(ctx, path)
	if _, gone := errors.AsType[*agent.PathError](err); gone {
		return nil
	}
	if err != nil {
		return err
	}
	switch f.Look.Class {
	case agent.Unknown:
		return fmt.Errorf("could not tell what is in %s: %s", path, f.Look.Err)
	case agent.Present:
		if f.Look.Manifest.ID != id {
			return nil
		}
	case agent.Invalid, agent.OtherAgent, agent.FileMissing, agent.DirMissing, agent.VolumeGone:
		return nil
	}
	err = c.ports.Sources.RemoveManifest(ctx, path, f.Data, false)
	if errors.Is(err, agent.ErrConflict) {
		return err
	}
	u.push(func(ctx context.Context) error {
		_, err := c.ports.Sources.CreateManifest(ctx, path, f.Data, f.Mode)
		return existing(err)
	})
	return err
}
