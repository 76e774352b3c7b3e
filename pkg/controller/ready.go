package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// ground makes sure that there is a snapshot to decide on. A running loop has
// one as soon as its first sweep has ended. Without one the index and the relay
// are listed; the files only where that is asked for: to register a project
// nobody else's need to be looked at.
func (c *Controller) ground(ctx context.Context, files bool) error {
	if !c.options.Load().OneShot {
		select {
		case <-c.Ready():
		case <-ctx.Done():
			return ctx.Err()
		}
		if !files {
			return nil
		}
	}
	c.sweeping.Lock()
	defer c.sweeping.Unlock()
	look := c.lookAside
	if files {
		look = func(ctx context.Context) (*snapshot, error) {
			return c.look(ctx, SyncRequest{}, nil, &agent.SweepStats{})
		}
	}
	s, err := look(ctx)
	if err != nil {
		return err
	}
	c.current.Store(s)
	c.ledger.load(s)
	return nil
}

// lookAside forms a snapshot without a look at the files. It says of itself
// that it is incomplete, so that nothing is concluded from what it lacks.
func (c *Controller) lookAside(ctx context.Context) (*snapshot, error) {
	now, awake := c.settling.read()
	index, _, err := c.ports.Index.List(ctx)
	if err != nil {
		c.ports.Metrics.IndexError("list")
		return nil, err
	}
	c.paused.Store(index.Paused)
	o := c.options.Load()
	s := snapshot{
		files:    &agent.Listing{Began: now.Wall, Roots: []agent.RootReport{{Path: "/", Lacks: "nobody looked"}}},
		index:    index,
		known:    knownPaths(index, nil),
		began:    awake,
		recovers: c.ports.Index.Unclean(),
		aside:    true,
	}
	c.listRelay(ctx, &s, nil, now.Wall)
	return newSnapshot(s, nil, plan.Roots{Managed: o.ManagedHome, Configured: o.ScanRoots}), nil
}

// teachRootOf remembers the mount of the root that a new agent's project lies
// below, as a sweep would: the agent has no mount of its own to remember then.
func (c *Controller) teachRootOf(ctx context.Context, path string) error {
	s := c.current.Load()
	root := s.roots.Effective(path)
	if root == "" || !s.rootMounts[root].IsZero() {
		return nil
	}
	look := c.ports.Sources.Probe(ctx, agent.ProbeRequest{Path: root, Anchor: root})
	if look.Mount.IsZero() || look.Dir.IsZero() {
		return nil
	}
	if err := c.commitRoots(ctx, []agent.Root{{Path: root, Mount: look.Mount, ReleasedAt: s.released[root]}}); err != nil {
		return err
	}
	taught := *s
	taught.rootMounts = map[string]agent.Mount{root: look.Mount}
	for p, m := range s.rootMounts {
		if p != root {
			taught.rootMounts[p] = m
		}
	}
	c.current.CompareAndSwap(s, &taught)
	return nil
}

// readyToTake lets an id take a place: the relay answers and nobody else's claim
// stands against it. It is asked before anything is touched.
func readyToTake(t *task, path string) error {
	if err := operable(t); err != nil {
		return err
	}
	if err := relayAnswers(t); err != nil {
		return err
	}
	o := &t.obs
	if o.Twin != "" {
		return refuse("give it another id: mesh-controller reissue "+path, "the id %s differs only in letter case from %s, which is registered or still has its address", o.ID, o.Twin)
	}
	if o.Row == nil && t.plan.Reason == agent.IncompleteListing {
		return refuse("make the rest of the disk readable, or mesh-controller adopt "+path+" settles it",
			"of the id %s: %s", o.ID, t.plan.Message)
	}
	if o.Row == nil {
		return readyToReturn(t, path)
	}
	if o.Row.Path == path {
		return nil
	}
	switch e := o.Home.Look.Judge(o.ID, agent.Mount{}); {
	case o.Home.Look.Class == agent.Present && o.Home.Look.Manifest.ID == o.ID && o.Home.Look.Dir != dirOf(t, path):
		return refuse(
			fmt.Sprintf("mesh-controller reissue %s gives the copy an id of its own, mesh-controller adopt %s makes it the home", path, path),
			"the id %s is at home in %s, which still carries it", o.ID, o.Row.Path)
	case e == agent.Unknown || e == agent.Invalid:
		return refuse("make it readable, or mesh-controller adopt "+path+" to settle it",
			"the id %s is at home in %s, of which nothing can be told: %s", o.ID, o.Row.Path, o.Home.Look.Err)
	}
	if c := t.claimAt(path); c != nil && c.Look.Class == agent.Present {
		if err := landsAt(t, path); err != nil {
			return refuse("mesh-controller adopt "+path+" makes it the home all the same",
				"the id %s is at home in %s: %s", o.ID, o.Row.Path, t.plan.Message)
		}
	}
	return nil
}

// readyToReturn refuses a place at which an id without a row would not come to be
// at home, whatever is written there: a linked worktree, while the directory that
// another agent displaced it from stands.
func readyToReturn(t *task, path string) error {
	c := t.claimAt(path)
	if c == nil || c.Look.Class != agent.Present || c.Look.Manifest.ID != t.id || c.Place.Problem != nil {
		return nil
	}
	if err := landsAt(t, path); errors.Is(err, agent.ErrConflict) {
		return refuse("mesh-controller adopt "+path+" makes it the home all the same",
			"the id %s was at home in %s: %s", t.id, t.plan.Path, t.plan.Message)
	}
	return nil
}

// claimAt is what was seen at a place that is not the recorded one.
func (t *task) claimAt(path string) *plan.Claim {
	for i := range t.obs.Claims {
		if t.obs.Claims[i].Look.Path == path {
			return &t.obs.Claims[i]
		}
	}
	return nil
}

func dirOf(t *task, path string) agent.FileID {
	if c := t.claimAt(path); c != nil {
		return c.Look.Dir
	}
	return agent.FileID{}
}

// operable refuses what an operator has switched off.
func operable(t *task) error {
	switch st := t.obs.State; {
	case !t.obs.Paused:
		return nil
	case st != nil && st.Paused:
		return refuse("mesh-controller resume "+string(t.id)+" (or resume alone, for everybody) switches it on again", "converging is paused")
	}
	return refuse("mesh-controller resume switches it on again", "converging is paused")
}

// relayAnswers is asked where an address has to be made: without it the rest
// would only be taken back again.
func relayAnswers(t *task) error {
	r := &t.obs.Relay
	switch {
	case r.Down != "":
		return refuse("see mesh-controller doctor, and run it again when the relay answers", "the relay does not answer: %s", r.Down)
	case r.Degraded != "":
		return refuse("mend the relay's rules (mesh-controller doctor says what is wrong), and run it again", "%s", r.Degraded)
	}
	return nil
}

// landsAt is the proof that the plan makes, or finds, the row at the place that
// was ordered.
func landsAt(t *task, path string) error {
	row := t.plan.Change.Row
	if row == nil {
		row = t.obs.Row
	}
	switch {
	case t.plan.Reason == agent.UnknownEvidence:
		return errors.New(t.plan.Message)
	case row == nil || row.Path != path, t.plan.Record != nil:
		return fmt.Errorf("%w: %s: %s", agent.ErrConflict, t.plan.Reason, t.plan.Message)
	case t.plan.Retry:
		return errors.New(t.doubtMessage())
	}
	return nil
}

// concluded adds how the agent stands now.
func (c *Controller) concluded(out Outcome, err error) (Outcome, error) {
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), concludeWithin)
	defer cancel()
	v, err := c.surveyOf(ctx, out.ID)
	if err != nil {
		return out, err
	}
	if out.Agent = v.status(out.ID); out.Agent != nil && out.Path == "" {
		out.Path = out.Agent.ProjectPath
	}
	return out, nil
}

// concludeWithin bounds the look at what an order came to.
const concludeWithin = 5 * time.Second
