package controller

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// Update writes other values into a registered agent's manifest, and returns
// when index and relay follow it. Keys that are not named keep their bytes, and
// an editor's save in between is built upon, never lost. A second call with the
// same values finds nothing to do. Of an agent that is unreachable there is
// nothing to write to: it is refused.
func (c *Controller) Update(ctx context.Context, req UpdateRequest) (Outcome, error) {
	set, err := req.assignments()
	if err != nil {
		return Outcome{}, err
	}
	if err := c.ground(ctx, false); err != nil {
		return Outcome{}, err
	}
	return c.again(ctx, func() (Outcome, error) {
		id, row, err := c.registeredAgent(ctx, req.Target)
		if err != nil {
			return Outcome{}, err
		}
		if _, err := c.ports.Sources.Inspect(ctx, row.Path); err != nil {
			return Outcome{}, notThere(id, err)
		}
		return c.at(ctx, row.Path, inLine, func(f *agent.ManifestFile) (Outcome, error) {
			if f.Look.Class != agent.Present || f.Look.Manifest.ID != id {
				return Outcome{}, notAtHome(id, f)
			}
			it, err := c.edition(id, set, f)
			if err != nil {
				return Outcome{}, err
			}
			return c.concluded(c.carry(ctx, it))
		})
	})
}

// Validate refuses what no manifest could make right.
func (req *UpdateRequest) Validate() error {
	_, err := req.assignments()
	return err
}

func (req *UpdateRequest) assignments() ([]agent.Assignment, error) {
	if len(req.Set) == 0 {
		return nil, misuse("give --set field=value, as in --set name=Ada", "there is nothing to set")
	}
	var set []agent.Assignment
	for _, s := range req.Set {
		a, err := agent.ParseAssignment(s)
		if err != nil {
			return nil, misuse("these can be set: "+strings.Join(agent.AssignableFields(), ", "), "%s", err.Error())
		}
		set = append(set, a)
	}
	return set, nil
}

// registeredAgent finds the row that an id, a project directory or a name means.
// The id of an agent that lost its row is no name, though one that was reissued
// in its place is called as it was.
func (c *Controller) registeredAgent(ctx context.Context, target string) (agent.ID, *agent.Record, error) {
	id := agent.ID(target)
	views, standing, err := c.ports.Index.Read(ctx, []agent.ID{id}, []string{target})
	if err != nil {
		return "", nil, err
	}
	if v := views[id]; v.Row == nil {
		id = standing[target]
		if id == "" && v.State == nil && v.Tombstone == nil {
			if id, err = c.named(ctx, target); err != nil {
				return "", nil, err
			}
		}
		if id == "" {
			return "", nil, fmt.Errorf("%s: %w: neither the id, the name nor the path of a registered agent", target, ErrNotFound)
		}
		if views, _, err = c.ports.Index.Read(ctx, []agent.ID{id}, nil); err != nil {
			return "", nil, err
		}
	}
	row := views[id].Row
	if row == nil || views[id].Tombstone != nil && views[id].Tombstone.Reason == agent.Unregistered {
		return "", nil, fmt.Errorf("%s: %w: it is not registered any more", target, ErrNotFound)
	}
	return id, row, nil
}

func notThere(id agent.ID, err error) error {
	if bad, ok := errors.AsType[*agent.PathError](err); ok {
		return refuse("mesh-controller explain "+string(id)+" says what is so; put its project back first", "agent %s is unreachable: %s", id, bad.Error())
	}
	return err
}

func notAtHome(id agent.ID, f *agent.ManifestFile) error {
	why := "its manifest is not in " + f.Path
	switch {
	case f.Look.Class == agent.Invalid:
		why = fmt.Sprintf("its manifest in %s is not valid: %v", f.Path, f.Look.Problem)
	case f.Look.Class == agent.Present:
		why = fmt.Sprintf("%s carries the id %s", f.Path, f.Look.Manifest.ID)
	}
	return refuse("mesh-controller explain "+string(id)+" says what is so; put its manifest back first", "agent %s is unreachable: %s", id, why)
}

// edition is the intent that makes the manifest say what was set.
func (c *Controller) edition(id agent.ID, set []agent.Assignment, f *agent.ManifestFile) (*intent, error) {
	next, err := agent.EditManifest(f.Data, set)
	if err != nil {
		return nil, misuse("correct the value and run it again", "%s", err.Error())
	}
	m, v := agent.DecodeManifest(next)
	if v != nil {
		return nil, misuse("correct the value and run it again", "the manifest would not be valid: %v", v)
	}
	if err := c.placeable(m, f.Path); err != nil {
		return nil, err
	}
	it := &intent{
		id: id, order: plan.Order{Reason: agent.Updated, Path: f.Path},
		ready:  func(t *task) error { return readyToFollow(t, m, f.Path) },
		proven: func(t *task) error { return follows(t, f.Path) },
	}
	if !bytes.Equal(next, f.Data) {
		it.write = func(ctx context.Context, _ *task, u *undo) error { return c.edit(ctx, id, set, f, u) }
	}
	return it, nil
}

// edit writes what was set into the manifest as it is now: whoever saves often
// leaves little time between a look and a write.
func (c *Controller) edit(ctx context.Context, id agent.ID, set []agent.Assignment, seen *agent.ManifestFile, u *undo) error {
	for n := 1; ; n++ {
		f, err := c.ports.Sources.Inspect(ctx, seen.Path)
		if err != nil {
			return inspectError(err)
		}
		if f.Look.Class != agent.Present || f.Look.Manifest.ID != id || f.Look.Manifest.Namespace != seen.Look.Manifest.Namespace {
			return fmt.Errorf("%w: %s was written to", agent.ErrConflict, f.Path)
		}
		next, err := agent.EditManifest(f.Data, set)
		if err != nil {
			return misuse("correct the value and run it again", "%s", err.Error())
		}
		err = c.replace(ctx, f.Path, f.Data, next, u)
		if !errors.Is(err, agent.ErrConflict) || n == orderTries {
			return err
		}
	}
}

// readyToFollow lets an edit go ahead. Where it changes the address the relay
// has to answer; any other edit does not concern it.
func readyToFollow(t *task, m *agent.Manifest, path string) error {
	if err := operable(t); err != nil {
		return err
	}
	o := &t.obs
	if o.Row == nil || o.Row.Path != path || o.Home == nil {
		return fmt.Errorf("%w: the agent is not at home in %s any more", agent.ErrConflict, path)
	}
	ns, ok := agent.ResolveNamespace(m, path, o.Home.Place.ScanRoot)
	if ok && ns == o.Row.Namespace() && (m.IsSystem && o.Home.Place.Managed) == o.Row.System() {
		return nil
	}
	return relayAnswers(t)
}

// follows is the proof that the row stays at home and says what the file says.
func follows(t *task, path string) error {
	row := t.plan.Change.Row
	if row == nil {
		row = t.obs.Row
	}
	if r := t.plan.Reason; r == agent.UnknownEvidence || r == agent.ManifestInvalid {
		return fmt.Errorf("the manifest in %s could not be proven: %s", path, t.plan.Message)
	}
	if row == nil || row.Path != path || row.Status != agent.Active || t.plan.Record != nil {
		return fmt.Errorf("%w: %s: %s", agent.ErrConflict, t.plan.Reason, t.plan.Message)
	}
	return nil
}
