package controller

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// registeredBy is what the manifests that we write say of their origin.
const registeredBy = "mesh-controller"

// Register makes an agent of a project directory: file, then index, then relay,
// and returns when all three are proven. A manifest that is there is adopted
// when it says nothing else than the request. A second call with the same
// request finds everything as it should be. An error is a Refusal where nothing
// was touched; after any other, what was done was taken back.
func (c *Controller) Register(ctx context.Context, req RegisterRequest) (Outcome, error) {
	if err := c.ground(ctx, false); err != nil {
		return Outcome{}, err
	}
	return c.again(ctx, func() (Outcome, error) {
		return c.at(ctx, req.Path, only, func(f *agent.ManifestFile) (Outcome, error) {
			it, err := c.registration(&req, f)
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

// at inspects a project and runs an order on it, alone.
func (c *Controller) at(ctx context.Context, path string, q queueing, order func(*agent.ManifestFile) (Outcome, error)) (Outcome, error) {
	f, err := c.ports.Sources.Inspect(ctx, path)
	if err != nil {
		return Outcome{}, inspectError(err)
	}
	leave, err := c.enter(ctx, f.Path, q)
	if err != nil {
		return Outcome{}, err
	}
	defer leave()
	// Once more, now that nobody of us writes there.
	if f, err = c.ports.Sources.Inspect(ctx, f.Path); err != nil {
		return Outcome{}, inspectError(err)
	}
	if on := deniedBy(c.current.Load().index.Denied, f.Path); on != "" {
		return Outcome{}, refuse("mesh-controller undeny "+on+" takes it off", "%s is on the deny list", on)
	}
	if f.Look.Class == agent.Unknown {
		return Outcome{}, fmt.Errorf("could not tell what is in %s: %s", f.Path, f.Look.Err)
	}
	return order(&f)
}

func inspectError(err error) error {
	if bad, ok := errors.AsType[*agent.PathError](err); ok {
		return refuse("name an existing project directory", "%s", bad.Error())
	}
	return err
}

func deniedBy(list []string, path string) string {
	for _, d := range list {
		if agent.Within(path, d) {
			return d
		}
	}
	return ""
}

// registration is the intent that a request and the manifest that is there make
// together.
func (c *Controller) registration(req *RegisterRequest, f *agent.ManifestFile) (*intent, error) {
	next, err := c.registered(req, f)
	if err != nil {
		return nil, err
	}
	m, v := agent.DecodeManifest(next)
	if v != nil {
		return nil, misuse("correct the value and run it again", "the manifest would not be valid: %v", v)
	}
	if err := c.placeable(m, f.Path); err != nil {
		return nil, err
	}
	it := &intent{
		id: m.ID, path: f.Path, order: plan.Order{Reason: agent.Registered, Path: f.Path},
		ready: func(t *task) error { return readyToTake(t, f.Path) }, proven: func(t *task) error { return landsAt(t, f.Path) },
	}
	switch {
	case f.Data == nil:
		it.write = func(ctx context.Context, _ *task, u *undo) error { return c.create(ctx, f.Path, next, u) }
	case !bytes.Equal(f.Data, next):
		it.write = func(ctx context.Context, _ *task, u *undo) error { return c.replace(ctx, f.Path, f.Data, next, u) }
	}
	return it, nil
}

// registered is the manifest as it is to be.
func (c *Controller) registered(req *RegisterRequest, f *agent.ManifestFile) ([]byte, error) {
	named, err := req.assignments()
	if err != nil {
		return nil, err
	}
	switch f.Look.Class {
	case agent.Present:
		return adopted(req, f, named)
	case agent.Invalid:
		return c.mended(req, f, named)
	case agent.Unknown, agent.OtherAgent, agent.FileMissing, agent.DirMissing, agent.VolumeGone:
	}
	return c.fresh(req)
}

// fresh is a new manifest with a new id.
func (c *Controller) fresh(req *RegisterRequest) ([]byte, error) {
	switch {
	case strings.TrimSpace(req.Name) == "":
		return nil, misuse("give it one with --name", "a new agent needs a name")
	case req.Runtime == "":
		return nil, misuse("give it one with --runtime: "+strings.Join(agent.Runtimes(), ", "), "a new agent needs a runtime")
	}
	m := agent.NewManifest()
	m.ID, m.Name, m.Runtime = c.newID(), req.Name, req.Runtime
	m.RegisteredAt, m.RegisteredBy = agent.FormatTime(c.ports.Clock.Now()), registeredBy
	m.Capabilities = append([]string{}, req.Capabilities...)
	if req.Namespace != nil {
		m.Namespace = *req.Namespace
	}
	if req.Description != nil {
		m.Description = *req.Description
	}
	data, err := agent.EncodeManifest(m)
	if err != nil {
		return nil, misuse("correct the value and run it again", "%s", err.Error())
	}
	return data, nil
}

func (c *Controller) newID() agent.ID { return c.ports.NewID(c.ports.Clock.Now()) }

// newULID is sortable by time, and unique without asking anybody.
func newULID(now time.Time) agent.ID {
	return agent.ID(ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String())
}

// adopted is a valid manifest that is there, with what the request names where
// that was forced.
func adopted(req *RegisterRequest, f *agent.ManifestFile, named []agent.Assignment) ([]byte, error) {
	next, err := agent.EditManifest(f.Data, named)
	if err != nil {
		return nil, misuse("correct the value and run it again", "%s", err.Error())
	}
	if bytes.Equal(next, f.Data) || req.Force {
		return next, nil
	}
	return nil, refuse("leave the flags away to adopt it as it is, or --force to rewrite "+fieldsOf(named),
		"%s has a manifest already, of agent %s, that says otherwise", f.Path, f.Look.Manifest.ID)
}

// mended is an invalid manifest with the named fields, and what every manifest
// needs, set; everything else in it stays.
func (c *Controller) mended(req *RegisterRequest, f *agent.ManifestFile, named []agent.Assignment) ([]byte, error) {
	broken := refuse("mend "+f.Path+"/.dork/agent.json, or move it away and register again",
		"%s has a manifest that is not valid: %v", f.Path, f.Look.Problem)
	if !req.Force || f.Data == nil {
		return nil, broken
	}
	for _, need := range []struct {
		field string
		value string
	}{
		{"id", string(c.newID())},
		{"registeredAt", agent.FormatTime(c.ports.Clock.Now())},
		{"registeredBy", registeredBy},
	} {
		if strings.HasPrefix(f.Look.Problem.Field, need.field) {
			a, err := agent.Assign(need.field, need.value)
			if err != nil {
				return nil, err
			}
			named = append(named, a)
		}
	}
	next, err := agent.EditManifest(f.Data, named)
	if err != nil {
		return nil, broken
	}
	return next, nil
}

// Validate refuses what no project could make right.
func (req *RegisterRequest) Validate() error {
	_, err := req.assignments()
	return err
}

// assignments are what the request names, as assignments to a manifest.
func (req *RegisterRequest) assignments() ([]agent.Assignment, error) {
	if ns := req.Namespace; ns != nil {
		if _, ok := agent.NormalizeNamespace(*ns); !ok && strings.TrimSpace(*ns) != "" {
			return nil, misuse("use a to z, 0 to 9 and dashes, at most 64", "namespace %q cannot be used", *ns)
		}
	}
	if req.Runtime != "" && !slices.Contains(agent.Runtimes(), req.Runtime) {
		return nil, misuse("use one of "+strings.Join(agent.Runtimes(), ", "), "runtime %q is not known", req.Runtime)
	}
	var list []agent.Assignment
	var errs []error
	set := func(field string, v any) {
		a, err := agent.Assign(field, v)
		list, errs = append(list, a), append(errs, err)
	}
	if req.Name != "" {
		set("name", req.Name)
	}
	if req.Runtime != "" {
		set("runtime", req.Runtime)
	}
	if req.Namespace != nil {
		set("namespace", *req.Namespace)
	}
	if req.Description != nil {
		set("description", *req.Description)
	}
	if req.Capabilities != nil {
		set("capabilities", req.Capabilities)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, misuse("correct the value and run it again", "%s", err.Error())
	}
	return list, nil
}

func fieldsOf(set []agent.Assignment) string {
	names := make([]string, len(set))
	for i := range set {
		names[i] = set[i].Field
	}
	return strings.Join(names, ", ")
}

// placeable refuses a manifest that may not use its namespace there.
func (c *Controller) placeable(m *agent.Manifest, path string) error {
	s := c.current.Load()
	reserved := s.reserved
	if row := s.entry(m.ID); row != nil && row.System && s.roots.Managed != "" && agent.Within(row.Path, s.roots.Managed) {
		reserved = nil
	}
	if p := plan.Locate(m, path, s.roots, reserved); p.Problem != nil {
		return misuse("choose another namespace", "%v", p.Problem)
	}
	return nil
}

// create publishes a new manifest.
func (c *Controller) create(ctx context.Context, path string, data []byte, u *undo) error {
	madeDir, err := c.ports.Sources.CreateManifest(ctx, path, data, 0)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: a manifest has appeared in %s", agent.ErrConflict, path)
	}
	// A failed sync may come after the file: it is taken away in any case.
	u.push(func(ctx context.Context) error {
		return tolerate(c.ports.Sources.RemoveManifest(ctx, path, data, madeDir))
	})
	return err
}

// replace puts a manifest in the place of another one.
func (c *Controller) replace(ctx context.Context, path string, old, next []byte, u *undo) error {
	err := c.ports.Sources.ReplaceManifest(ctx, path, old, next)
	if errors.Is(err, agent.ErrConflict) {
		return err
	}
	u.push(func(ctx context.Context) error {
		return tolerate(c.ports.Sources.ReplaceManifest(ctx, path, next, old))
	})
	return err
}

// tolerate: what is no longer ours is not taken back.
func tolerate(err error) error {
	if errors.Is(err, agent.ErrConflict) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// existing: where there is a manifest none has to be put back.
func existing(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
