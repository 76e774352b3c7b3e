package controller

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

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
// An end that is on record, but not of an agent that still has its row, is
// under way and not listed. Where the relay does not answer no mail is shown.
func (c *Controller) Tombstones(ctx context.Context) (TombstonesResult, error) {
	defer c.letGo(context.WithoutCancel(ctx))
	list, err := c.ports.Index.Tombstones(ctx)
	if err != nil {
		return TombstonesResult{}, err
	}
	index, err := c.recorded(ctx)
	if err != nil {
		return TombstonesResult{}, err
	}
	stands := map[agent.ID]bool{}
	for i := range index.Entries {
		stands[index.Entries[i].ID] = true
	}
	kept := c.keptMail(ctx)
	result := TombstonesResult{APIVersion: APIVersion, Tombstones: []Tombstone{}}
	for i := range list {
		t := &list[i]
		if stands[t.ID] {
			continue
		}
		result.Tombstones = append(result.Tombstones, Tombstone{
			ID: t.ID, Name: t.Record.Name(), Namespace: t.Record.Namespace(), Runtime: t.Record.Fields[agent.FieldRuntime].Text,
			ProjectPath: t.Record.Path, Reason: t.Reason, At: Time(t.At), Mail: kept[t.ID],
		})
	}
	return result, nil
}

// keptMail tells of whom mail was kept aside.
func (c *Controller) keptMail(ctx context.Context) map[agent.ID]bool {
	if c.ports.Relay == nil {
		return nil
	}
	listing, changed, err := c.ports.Relay.List(ctx)
	c.ledger.mark(changed, c.ports.Clock.Now(), c.shown(sourceRelay))
	if err != nil {
		return nil
	}
	return listing.Kept
}

// Restore brings an agent back that left the index: it writes the manifest anew
// from what the index kept, at the place where it was, and registers it with
// its history and its mail. Where a manifest lies there, that one is registered
// if it is the agent's, and left alone otherwise. A project directory is never
// made. ErrNotFound where no tombstone is kept.
func (c *Controller) Restore(ctx context.Context, id agent.ID) (Outcome, error) {
	if err := c.ground(ctx, true); err != nil {
		return Outcome{}, err
	}
	return c.again(ctx, func() (Outcome, error) {
		t, err := c.buried(ctx, id)
		if err != nil {
			return Outcome{}, err
		}
		return c.at(ctx, t.Record.Path, only, func(f *agent.ManifestFile) (Outcome, error) {
			it, err := c.resurrection(t, f)
			if err != nil {
				return Outcome{}, err
			}
			if err := c.teachRootOf(ctx, f.Path); err != nil {
				return Outcome{}, err
			}
			return c.concluded(c.carry(ctx, it))
		})
	})
}

// buried is the tombstone of an agent that can be brought back to its place.
func (c *Controller) buried(ctx context.Context, id agent.ID) (*agent.Tombstone, error) {
	views, _, err := c.ports.Index.Read(ctx, []agent.ID{id}, nil)
	if err != nil {
		return nil, err
	}
	t := views[id].Tombstone
	switch {
	case views[id].Row != nil:
		return nil, refuse("mesh-controller explain "+string(id)+" shows it", "agent %s is registered, there is nothing to restore", id)
	case t == nil:
		return nil, fmt.Errorf("%s: %w: no tombstone is kept of it", id, ErrNotFound)
	case !filepath.IsAbs(t.Record.Path):
		return nil, refuse("write a manifest with this id where it belongs, and register it", "of agent %s no place is on record", id)
	}
	if twin := c.current.Load().twinOf(id); twin != "" {
		return nil, refuse("unregister that one, or give it another id with reissue, and restore this one then", "the id %s differs only in letter case from %s, which is registered", id, twin)
	}
	_, err = c.ports.Sources.Inspect(ctx, t.Record.Path)
	if bad, ok := errors.AsType[*agent.PathError](err); ok {
		return nil, refuse("make the directory or put the project back, and restore it then", "%s", bad.Error())
	}
	return t, err
}

// twinOf is a registered id that differs only in letter case, "" for none.
func (s *snapshot) twinOf(id agent.ID) agent.ID {
	for i := range s.index.Entries {
		if other := s.index.Entries[i].ID; other != id && other.Fold() == id.Fold() {
			return other
		}
	}
	return ""
}

func (c *Controller) resurrection(t *agent.Tombstone, f *agent.ManifestFile) (*intent, error) {
	it := &intent{
		id: t.ID, path: f.Path, order: plan.Order{Path: f.Path},
		ready: func(task *task) error { return readyToTake(task, f.Path) }, proven: func(task *task) error { return landsAt(task, f.Path) },
	}
	m, manifest := f.Look.Manifest, f.Path+"/.dork/agent.json"
	switch f.Look.Class {
	case agent.Present:
		if m.ID != t.ID {
			return nil, refuse("move that project away, or put the manifest of "+string(t.ID)+" elsewhere below a scan root yourself",
				"%s carries the id %s now", f.Path, m.ID)
		}
	case agent.Invalid:
		return nil, refuse("mend "+manifest+", or move it away", "the manifest in %s is not valid: %v", f.Path, f.Look.Problem)
	case agent.Unknown, agent.OtherAgent, agent.FileMissing, agent.DirMissing, agent.VolumeGone:
		if claims := c.current.Load().claims(t.ID, f.Path); len(claims) > 0 {
			return nil, refuse("mesh-controller sync registers it there", "a manifest of %s lies in %s", t.ID, claims[0])
		}
		data, err := manifestOf(&t.Record)
		if err != nil {
			return nil, refuse("write "+manifest+" by hand", "what was kept of %s does not make a valid manifest: %v", t.ID, err)
		}
		m, _ = agent.DecodeManifest(data)
		it.write = func(ctx context.Context, _ *task, u *undo) error { return c.create(ctx, f.Path, data, u) }
	}
	if err := c.placeable(m, f.Path); err != nil {
		return nil, refuse("write "+manifest+" by hand, with another namespace", "%v", err)
	}
	return it, nil
}

// manifestOf is a manifest that asks for what a record holds.
func manifestOf(r *agent.Record) ([]byte, error) {
	m := agent.NewManifest()
	m.ID, m.Name, m.Runtime, m.Namespace = r.ID, r.Name(), r.Fields[agent.FieldRuntime].Text, r.Namespace()
	m.RegisteredAt, m.RegisteredBy = r.RegisteredAt, r.Approver.Text
	if m.RegisteredBy == "" {
		m.RegisteredBy = registeredBy
	}
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
	if data, err = agent.EditManifest(data, set); err != nil {
		return nil, err
	}
	// Once more, with the keys in their order and without what goes without saying.
	m, v := agent.DecodeManifest(data)
	if v != nil {
		return nil, v
	}
	return agent.EncodeManifest(m)
}

// recordedValue is a cell as it stands in a manifest; nil where nothing is
// recorded, nothing that could be meant, or the manifest has it already.
func recordedValue(i int, cell agent.Cell) jsontext.Value {
	switch i {
	case agent.FieldName, agent.FieldRuntime, agent.FieldNamespace:
		return nil
	case agent.FieldPersonaEnabled, agent.FieldIsSystem:
		switch cell {
		case agent.BoolCell(true):
			return jsontext.Value("true")
		case agent.BoolCell(false):
			return jsontext.Value("false")
		}
		return nil
	}
	if cell.Kind != agent.Text {
		return nil
	}
	switch i {
	case agent.FieldCapabilities, agent.FieldBehavior, agent.FieldBudget, agent.FieldTraits, agent.FieldConventions:
		if v := jsontext.Value(cell.Text); v.IsValid() {
			return v
		}
		return nil
	}
	quoted, err := jsontext.AppendQuote(nil, cell.Text)
	if err != nil {
		return nil
	}
	return quoted
}
