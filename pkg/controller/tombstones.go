package controller

import (
	"bytes"
	"context"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// Tombstone is an agent that left the index, as it is kept for 30 days.
type Tombstone struct {
	ID          agent.ID     `json:"id"`
	Name        string       `json:"name"`
	Namespace   string       `json:"namespace"`
	Runtime     string       `json:"runtime"`
	ProjectPath string       `json:"projectPath"`
	Reason      agent.Reason `json:"reason"` // Displaced, Removed, Denied or Unregistered
	At          Time         `json:"at"`
	// Mail was kept aside with it.
	Mail bool `json:"mail"`
}

// TombstonesResult is what `tombstones -o json` prints, the oldest first.
type TombstonesResult struct {
	APIVersion string      `json:"apiVersion"`
	Tombstones []Tombstone `json:"tombstones"`
}

// Tombstones lists what left the index within 30 days. It reads records only.
func (c *Controller) Tombstones(ctx context.Context) (TombstonesResult, error) {
	list, err := c.ports.Index.Tombstones(ctx)
	if err != nil {
		return TombstonesResult{}, err
	}
	defer c.letGo(context.WithoutCancel(ctx))
	kept := map[agent.ID]bool{}
	if c.ports.Relay != nil {
		listing, changed, err := c.ports.Relay.List(ctx)
		c.ledger.mark(changed, c.ports.Clock.Now(), c.shown(sourceRelay))
		if err == nil {
			kept = listing.Kept
		}
	}
	result := TombstonesResult{APIVersion: APIVersion, Tombstones: []Tombstone{}}
	for i := range list {
		t := &list[i]
		result.Tombstones = append(result.Tombstones, Tombstone{
			ID: t.ID, Name: t.Record.Name(), Namespace: t.Record.Namespace(), Runtime: t.Record.Fields[agent.FieldRuntime].Text,
			ProjectPath: t.Record.Path, Reason: t.Reason, At: Time(t.At), Mail: kept[t.ID],
		})
	}
	return result, nil
}

// Restore brings an agent back that left the index: it writes the manifest anew
// from what the index kept, at the place where it was, and registers it with
// its history and its mail. Where a manifest lies there, that one is registered
// if it is the agent's, and left alone otherwise. ErrNotFound where no
// tombstone is kept.
func (c *Controller) Restore(ctx context.Context, id agent.ID) (Outcome, error) {
	if err := c.ground(ctx, true); err != nil {
		return Outcome{}, err
	}
	return c.again(ctx, func() (Outcome, error) {
		views, _, err := c.ports.Index.Read(ctx, []agent.ID{id}, nil)
		if err != nil {
			return Outcome{}, err
		}
		t := views[id].Tombstone
		switch {
		case views[id].Row != nil:
			return Outcome{}, refuse("mesh-controller explain "+string(id)+" shows it", "agent %s is registered, there is nothing to restore", id)
		case t == nil:
			return Outcome{}, fmt.Errorf("%s: %w: no tombstone is kept of it", id, ErrNotFound)
		}
		return c.at(ctx, t.Record.Path, func(f *agent.ManifestFile) (Outcome, error) {
			it, err := c.resurrection(t, f)
			if err != nil {
				return Outcome{}, err
			}
			return c.concluded(c.carry(ctx, it))
		})
	})
}

func (c *Controller) resurrection(t *agent.Tombstone, f *agent.ManifestFile) (*intent, error) {
	it := &intent{
		id: t.ID, path: f.Path, order: plan.Order{Path: f.Path},
		ready: func(task *task) error { return readyToTake(task, f.Path) }, proven: func(task *task) error { return landsAt(task, f.Path) },
	}
	switch f.Look.Class {
	case agent.Present:
		if f.Look.Manifest.ID != t.ID {
			return nil, refuse("move that project away, or put the manifest of "+string(t.ID)+" elsewhere below a scan root yourself",
				"%s carries the id %s now", f.Path, f.Look.Manifest.ID)
		}
		return it, nil
	case agent.Invalid:
		return nil, refuse("mend it, or move it away", "the manifest in %s is not valid: %v", f.Path, f.Look.Problem)
	case agent.Unknown, agent.OtherAgent, agent.FileMissing, agent.DirMissing, agent.VolumeGone:
	}
	data, err := manifestOf(&t.Record)
	if err != nil {
		return nil, refuse("write "+f.Path+"/.dork/agent.json by hand", "what was kept of %s does not make a valid manifest: %v", t.ID, err)
	}
	it.write = func(ctx context.Context, _ *task, u *undo) error { return c.create(ctx, f.Path, data, u) }
	return it, nil
}

// manifestOf is a manifest that asks for what a record holds.
func manifestOf(r *agent.Record) ([]byte, error) {
	m := agent.NewManifest()
	m.ID, m.Name, m.Runtime = r.ID, r.Name(), r.Fields[agent.FieldRuntime].Text
	m.RegisteredAt, m.RegisteredBy = r.RegisteredAt, r.Approver.Text
	if m.RegisteredBy == "" {
		m.RegisteredBy = registeredBy
	}
	m.Namespace = r.Namespace()
	data, err := agent.EncodeManifest(m)
	if err != nil {
		return nil, err
	}
	var set []agent.Assignment
	for i := range agent.FieldTable {
		if v := recordedValue(i, r.Fields[i]); v != nil {
			set = append(set, agent.Assignment{Field: agent.FieldTable[i].Name, Value: v})
		}
	}
	return agent.EditManifest(data, set)
}

// recordedValue is a cell as it stands in a manifest; nil where nothing is
// recorded or the manifest has it already.
func recordedValue(i int, cell agent.Cell) jsontext.Value {
	switch {
	case cell.Kind == agent.Null, i == agent.FieldName, i == agent.FieldRuntime, i == agent.FieldNamespace:
		return nil
	case i == agent.FieldPersonaEnabled, i == agent.FieldIsSystem:
		return jsontext.Value(map[bool]string{true: "true", false: "false"}[cell == agent.BoolCell(true)])
	}
	switch i {
	case agent.FieldCapabilities, agent.FieldBehavior, agent.FieldBudget, agent.FieldTraits, agent.FieldConventions:
		if v := jsontext.Value(cell.Text); v.IsValid() {
			return bytes.Clone(v)
		}
		return nil
	}
	quoted, err := jsontext.AppendQuote(nil, cell.Text)
	if err != nil {
		return nil
	}
	return quoted
}
