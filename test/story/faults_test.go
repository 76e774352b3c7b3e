package story

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

var (
	errCrashed  = errors.New("the process is gone")
	errInjected = errors.New("injected")
)

// faults stands between the controller and its ports.
type faults struct {
	mu         sync.Mutex
	unreadable map[string]bool
	toggled    map[string]bool // since the last sweep
	unlisted   bool            // no root can be listed whole
	fails      map[string]int  // by call
	crashAfter string
	dead       bool
}

func newFaults() *faults {
	return &faults{unreadable: map[string]bool{}, toggled: map[string]bool{}, fails: map[string]int{}}
}

func (f *faults) wrap(p *controller.Ports) {
	p.Sources = &sources{Sources: p.Sources, faults: f}
	p.Index = &index{Index: p.Index, faults: f}
	p.Relay = &bus{Backend: p.Relay, faults: f}
}

func (f *faults) set(path string, unreadable bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.toggled[path] = true
	f.unreadable[path] = unreadable
	if !unreadable {
		delete(f.unreadable, path)
	}
}

func (f *faults) arm(action string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashAfter = action
}

// killed reports whether the crash came, and disarms it.
func (f *faults) killed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	dead := f.dead
	f.dead, f.crashAfter = false, ""
	return dead
}

// before a port call.
func (f *faults) before(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return errCrashed
	}
	if f.fails[call] > 0 {
		f.fails[call]--
		return errInjected
	}
	return nil
}

// after an action that succeeded.
func (f *faults) after(actions ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.Contains(actions, f.crashAfter) {
		f.dead = true
	}
}

func (f *faults) around(call, action string, do func() error) error {
	if err := f.before(call); err != nil {
		return err
	}
	err := do()
	if err == nil {
		f.after(action)
	}
	return err
}

type sources struct {
	controller.Sources
	*faults
	from, made *agent.Listing
}

func (s *sources) Probe(ctx context.Context, req agent.ProbeRequest) agent.Look {
	s.mu.Lock()
	blind := s.dead || s.unreadable[req.Path]
	s.mu.Unlock()
	look := s.Sources.Probe(ctx, req)
	if blind {
		return agent.Look{Path: req.Path, Class: agent.Unknown, Err: "permission denied", Mount: look.Mount, Dir: look.Dir}
	}
	return look
}

func (s *sources) Sweep(ctx context.Context, req agent.SweepRequest) (*agent.Listing, agent.Changes, error) {
	if err := s.before("sources.Sweep"); err != nil {
		return nil, agent.Changes{}, err
	}
	l, changes, err := s.Sources.Sweep(ctx, req)
	if err != nil {
		return l, changes, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := len(s.toggled) > 0 || s.from == nil || !sameSightings(s.from, l)
	for i := range l.Sightings {
		if f := &l.Sightings[i]; s.toggled[f.Path] {
			changes.Paths = append(changes.Paths, f.Path)
			if f.ID != "" {
				changes.IDs = append(changes.IDs, f.ID)
			}
		}
	}
	clear(s.toggled)
	slices.Sort(changes.Paths)
	slices.Sort(changes.IDs)
	changes.Paths, changes.IDs = slices.Compact(changes.Paths), slices.Compact(changes.IDs)
	if fresh {
		s.from, s.made = l, s.blinded(l)
	}
	made := *l
	made.Sightings, made.ByID = s.made.Sightings, s.made.ByID
	if s.unlisted {
		made.Roots = slices.Clone(l.Roots)
		for i := range made.Roots {
			made.Roots[i].Complete, made.Roots[i].Lacks = false, "some directory: EIO: input/output error"
		}
	}
	return &made, changes, nil
}

func sameSightings(a, b *agent.Listing) bool {
	return len(a.Sightings) == len(b.Sightings) && (len(a.Sightings) == 0 || &a.Sightings[0] == &b.Sightings[0])
}

// blinded is the listing without what cannot be read.
func (s *sources) blinded(l *agent.Listing) *agent.Listing {
	if len(s.unreadable) == 0 {
		return l
	}
	m := &agent.Listing{Sightings: slices.Clone(l.Sightings)}
	for i := range m.Sightings {
		f := &m.Sightings[i]
		if !s.unreadable[f.Path] {
			continue
		}
		*f = agent.Sighting{Path: f.Path, Class: agent.Unknown, Err: "permission denied", Dir: f.Dir}
	}
	m.Index()
	return m
}

type index struct {
	controller.Index
	*faults
}

func (i *index) List(ctx context.Context) (*agent.IndexListing, []agent.ID, error) {
	if err := i.before("index.List"); err != nil {
		return nil, nil, err
	}
	return i.Index.List(ctx)
}

func (i *index) Read(ctx context.Context, ids []agent.ID, paths []string) (map[agent.ID]agent.View, map[string]agent.ID, error) {
	if err := i.before("index.Read"); err != nil {
		return nil, nil, err
	}
	return i.Index.Read(ctx, ids, paths)
}

func (i *index) Commit(ctx context.Context, changes []agent.Change) ([]error, error) {
	if err := i.before("index.Commit"); err != nil {
		return nil, err
	}
	errs, err := i.Index.Commit(ctx, changes)
	if err != nil {
		return errs, err
	}
	for n := range changes {
		if errs[n] == nil {
			i.after(actionsOf(&changes[n])...)
		}
	}
	return errs, nil
}

func actionsOf(c *agent.Change) []string {
	var list []string
	if c.Bury != nil {
		list = append(list, "record")
	}
	switch c.Op {
	case agent.InsertRow:
		list = append(list, "insertRow")
	case agent.RelocateRow:
		list = append(list, "relocateRow")
	case agent.RemoveRow:
		list = append(list, "removeRow")
	case agent.UpdateRow:
		list = append(list, "updateRow")
		if c.Row.Status != c.Expected.Status {
			list = append(list, map[string]string{agent.Active: "markActive", agent.Unreachable: "markUnreachable"}[c.Row.Status])
		}
	case agent.KeepRow:
	}
	return list
}

func (i *index) CommitRoots(ctx context.Context, roots []agent.Root) error {
	return i.around("index.CommitRoots", "commitRoots", func() error { return i.Index.CommitRoots(ctx, roots) })
}

func (i *index) CommitProblems(ctx context.Context, problems []agent.Problem) error {
	return i.around("index.CommitProblems", "commitProblems", func() error { return i.Index.CommitProblems(ctx, problems) })
}

func (i *index) Vacant(ctx context.Context, namespaces []string) (map[string]agent.Vacancy, error) {
	if err := i.before("index.Vacant"); err != nil {
		return nil, err
	}
	return i.Index.Vacant(ctx, namespaces)
}

func (i *index) ForgetLeft(ctx context.Context, namespaces []string) error {
	return i.around("index.ForgetLeft", "forgetLeft", func() error { return i.Index.ForgetLeft(ctx, namespaces) })
}

func (i *index) Found(ctx context.Context) error {
	return i.around("index.Found", "found", func() error { return i.Index.Found(ctx) })
}

func (i *index) Rest() error {
	if i.before("index.Rest") != nil {
		return nil // nobody is there to close it
	}
	return i.Index.Rest()
}

// bus is the relay.
type bus struct {
	relay.Backend
	*faults
}

func (b *bus) List(ctx context.Context) (*agent.RelayListing, []agent.ID, error) {
	if err := b.before("relay.List"); err != nil {
		return nil, nil, err
	}
	return b.Backend.List(ctx)
}

func (b *bus) Endpoints(ctx context.Context, subjects []agent.Subject) ([]agent.Endpoint, error) {
	if err := b.before("relay.Endpoints"); err != nil {
		return nil, err
	}
	return b.Backend.Endpoints(ctx, subjects)
}

func (b *bus) EnsureRules(ctx context.Context, batch []relay.Rules) error {
	return b.around("relay.EnsureRules", "ensureRules", func() error { return b.Backend.EnsureRules(ctx, batch) })
}

func (b *bus) RemoveRules(ctx context.Context, batch []relay.Removal) error {
	return b.around("relay.RemoveRules", "removeRules", func() error { return b.Backend.RemoveRules(ctx, batch) })
}

func (b *bus) EnsureEndpoint(ctx context.Context, subject agent.Subject) error {
	return b.around("relay.EnsureEndpoint", "ensureEndpoint", func() error { return b.Backend.EnsureEndpoint(ctx, subject) })
}

func (b *bus) Readdress(ctx context.Context, old, next agent.Subject) error {
	return b.around("relay.Readdress", "moveMail", func() error { return b.Backend.Readdress(ctx, old, next) })
}

func (b *bus) Retire(ctx context.Context, subject agent.Subject, at time.Time) error {
	return b.around("relay.Retire", "removeEndpoint", func() error { return b.Backend.Retire(ctx, subject, at) })
}

func (b *bus) Restore(ctx context.Context, id agent.ID, subject agent.Subject) error {
	return b.around("relay.Restore", "moveMail", func() error { return b.Backend.Restore(ctx, id, subject) })
}
