package controller

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// subject of one handling: an id, what was observed of it, and what came of it.
type task struct {
	id    agent.ID
	obs   plan.Observation
	plan  plan.Plan
	err   error
	relay bool   // what failed is the relay
	why   string // what the relay says of it
	waits bool   // a step waits for DorkOS
	// intent is the order that the handling carries out; nil: the loop's own.
	intent *intent
	// incumbent is whom the plan of an intent displaces, as it was.
	incumbent agent.View
	// number and began tell one handling from another in the log.
	number uint64
	began  time.Time
}

// reading is what a batch shares while it is observed.
type reading struct {
	s         *snapshot
	now       agent.Stamp
	awake     time.Duration
	views     map[agent.ID]agent.View
	standing  map[string]agent.ID // who stands at a path, by the index
	endpoints map[agent.ID][]agent.Endpoint
	rules     map[string]agent.RuleSet
	degraded  string
	down      string
	holds     massHolds
}

// observe looks at the world for each id: the rows of all in one read, the
// files one by one, the endpoints and rules of all in one look. An error means
// that the index did not answer.
func (c *Controller) observe(ctx context.Context, ids []agent.ID, r *room) ([]*task, error) {
	tasks := r.of(ids)
	return tasks, c.observeTasks(ctx, tasks)
}

func (c *Controller) observeTasks(ctx context.Context, tasks []*task) error {
	r := &reading{s: c.current.Load(), holds: massHolds{}}
	r.now, r.awake = c.settling.read()
	var ids []agent.ID
	var paths []string
	for _, t := range tasks {
		ids = append(ids, t.id)
		paths = append(paths, t.claims(r.s, "")...)
	}
	var err error
	if r.views, r.standing, err = c.ports.Index.Read(ctx, ids, paths); err != nil {
		c.ports.Metrics.IndexError("read")
		return err
	}
	for _, t := range tasks {
		t.number, t.began = c.handled.Add(1), c.ports.Clock.Now()
		t.err = c.guarded(t.id, func() error { return c.observeFiles(ctx, r, t) })
	}
	c.readRelay(ctx, r, tasks)
	for _, t := range tasks {
		if t.err == nil {
			t.err = c.guarded(t.id, func() error { c.complete(r, t); return nil })
		}
	}
	return nil
}

// claims are the places, but for one, where the sweep saw the id, and the one
// that an order names.
func (t *task) claims(s *snapshot, but string) []string {
	paths := s.claims(t.id, but)
	if t.intent != nil && t.intent.path != "" && t.intent.path != but {
		paths = append(paths, t.intent.path)
	}
	if s.aside {
		paths = append(paths, s.copies(t.id, but)...)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// observeFiles takes the fresh looks at the recorded place and at the claims.
func (c *Controller) observeFiles(ctx context.Context, r *reading, t *task) error {
	v := r.views[t.id]
	t.obs = plan.Observation{
		ID: t.id, Now: r.now, Row: v.Row, State: v.State, Tombstone: v.Tombstone, Problems: v.Problems,
		Written: r.s.index.Written, IndexLost: r.s.index.Lost || v.Lost, LostSince: r.s.index.LostSince, Twin: r.s.twins[t.id],
		Contested: c.ledger.contested(t.id), Paused: c.paused.Load() || v.Paused || v.State != nil && v.State.Paused,
	}
	if t.intent != nil {
		t.obs.Order = t.intent.order
	}
	home := recordedPath(&v)
	claims := t.claims(r.s, home)
	if err := c.recoverManifests(ctx, r.s, append(v.Places(), claims...)); err != nil {
		return err
	}
	if home != "" || v.Row != nil {
		t.obs.Home = c.lookHome(ctx, r, t, home)
	}
	worktrees := v.Row != nil || len(claims) > 1 || v.Tombstone != nil
	// An id without a row may be at the place of its tombstone, like anywhere.
	if v.Row == nil && home != "" && len(t.claims(r.s, "")) > len(claims) {
		claims = append(claims, home)
		slices.Sort(claims)
	}
	for _, path := range claims {
		t.obs.Claims = append(t.obs.Claims, c.lookClaim(ctx, r, t, path, worktrees))
	}
	return nil
}

// recoverManifests clears what a crash left beside the manifests of an id. Only
// after one, and in a forced sweep, it is looked for: a process that lives
// cleans up after itself.
func (c *Controller) recoverManifests(ctx context.Context, s *snapshot, places []string) error {
	if !s.recovers || c.options.Load().ReadOnly {
		return nil
	}
	slices.Sort(places)
	for _, path := range slices.Compact(places) {
		if !filepath.IsAbs(path) {
			continue
		}
		recovered, err := c.ports.Sources.RecoverManifest(ctx, path)
		if err != nil && ctx.Err() != nil {
			return err
		}
		if recovered || err != nil {
			c.log.Warn("what an interrupted write left beside a manifest", zap.String("event", "Recovered"),
				zap.String("path", clip(path)), zap.Bool("cleared", recovered), zap.Error(err))
		}
	}
	return nil
}

func recordedPath(v *agent.View) string {
	switch {
	case v.Row != nil:
		return v.Row.Path
	case v.Tombstone != nil:
		return v.Tombstone.Record.Path
	}
	return ""
}

func (c *Controller) lookHome(ctx context.Context, r *reading, t *task, path string) *plan.Home {
	root := r.s.roots.Effective(path)
	anchor := filepath.Dir(path)
	if t.obs.Row != nil && t.obs.Row.ScanRoot != "" {
		anchor = t.obs.Row.ScanRoot
	} else if root != "" {
		anchor = root
	}
	h := &plan.Home{
		Look:      c.probeHome(ctx, t, path, anchor),
		RootMount: r.s.rootMounts[root],
		Denied:    denied(r.s.index.Denied, path),
		Dir:       c.ledger.directory(t.id),
	}
	if h.Look.Class == agent.Present {
		h.Place = plan.Locate(h.Look.Manifest, path, r.s.roots, r.s.reserved)
		if t.obs.Row != nil && r.s.ownReserve(t.obs.Row) {
			h.Place = plan.Locate(h.Look.Manifest, path, r.s.roots, nil)
		}
	}
	return h
}

// probeHome looks at a recorded place. What is no absolute path names no place
// at all, whatever lies below the working directory: nothing is there.
func (c *Controller) probeHome(ctx context.Context, t *task, path, anchor string) agent.Look {
	if filepath.IsAbs(path) {
		return c.ports.Sources.Probe(ctx, agent.ProbeRequest{Path: path, Anchor: anchor})
	}
	look := agent.Look{Path: path, Class: agent.DirMissing, Err: "the recorded path is not absolute"}
	if t.obs.State != nil {
		look.Mount = t.obs.State.Mount
	}
	return look
}

// ownReserve reports whether the row is itself the system agent for which its
// namespace is reserved.
func (s *snapshot) ownReserve(row *agent.Record) bool {
	return row.System() && s.roots.Managed != "" && agent.Within(row.Path, s.roots.Managed)
}

func (c *Controller) lookClaim(ctx context.Context, r *reading, t *task, path string, worktree bool) plan.Claim {
	root := r.s.roots.Effective(path)
	claim := plan.Claim{
		Look:      c.ports.Sources.Probe(ctx, agent.ProbeRequest{Path: path, Anchor: filepath.Dir(path), Worktree: worktree}),
		Denied:    denied(r.s.index.Denied, path),
		Complete:  r.s.files.CompleteFor(path) || t.ordered(path),
		RootMount: r.s.rootMounts[root],
		RefusedBefore: slices.ContainsFunc(t.obs.Problems, func(p agent.Problem) bool {
			return p.Reason == agent.DuplicateID && p.Path == path
		}),
	}
	if claim.Look.Class == agent.Present {
		claim.Place = plan.Locate(claim.Look.Manifest, path, r.s.roots, r.s.reserved)
	}
	if other, ok := r.standing[path]; ok && other != t.id {
		claim.Incumbent = &plan.Incumbent{ID: other, Mount: r.s.remembered(other)}
	}
	return claim
}

// ordered reports whether an operator named the place.
func (t *task) ordered(path string) bool { return t.intent != nil && t.intent.path == path }

// remembered is the mount that is remembered for an id with a row.
func (s *snapshot) remembered(id agent.ID) agent.Mount {
	if st, ok := s.index.States[id]; ok && !st.Mount.IsZero() {
		return st.Mount
	}
	if e := s.entry(id); e != nil {
		return s.rootMounts[s.roots.Effective(e.Path)]
	}
	return agent.Mount{}
}

// denied reports whether the path, or one above it, is on the deny list.
func denied(list []string, path string) bool {
	return slices.ContainsFunc(list, func(d string) bool { return agent.Within(path, d) })
}

// readRelay looks at every address and namespace that the batch is about.
func (c *Controller) readRelay(ctx context.Context, r *reading, tasks []*task) {
	if c.ports.Relay == nil {
		return
	}
	exist, err := c.addresses(ctx, r.s)
	if err != nil {
		r.down = err.Error()
		return
	}
	subjects := make(map[agent.Subject]struct{}, len(tasks))
	namespaces := map[string]struct{}{}
	for _, t := range tasks {
		for _, ns := range t.namespaces() {
			namespaces[ns] = struct{}{}
			subjects[agent.SubjectOf(ns, t.id)] = struct{}{}
		}
		also := c.ledger.straysOf(t.id)
		for _, e := range exist.Of(t.id) {
			also = append(also, e.Subject)
		}
		for _, s := range also {
			subjects[s] = struct{}{}
			if ns, _, ok := agent.ParseSubject(string(s)); ok {
				namespaces[ns] = struct{}{}
			}
		}
	}
	list, err := c.ports.Relay.Endpoints(ctx, keys(subjects))
	if err != nil {
		c.ports.Metrics.RelayError("endpoints")
		r.down = err.Error()
		return
	}
	r.endpoints = make(map[agent.ID][]agent.Endpoint, len(list))
	for _, e := range list {
		if _, id, ok := agent.ParseSubject(string(e.Subject)); ok {
			r.endpoints[id] = append(r.endpoints[id], e)
		}
	}
	r.rules, err = c.ports.Relay.NamespaceRules(ctx, keys(namespaces))
	if err != nil {
		if !errors.Is(err, agent.ErrDegraded) {
			c.ports.Metrics.RelayError("rules")
		}
		r.degraded = err.Error()
	}
}

// addresses are those that the last listing of the relay shows. Where it could
// not be listed it is now: an id must not get a second address beside one that
// nobody looked for.
func (c *Controller) addresses(ctx context.Context, s *snapshot) (agent.Endpoints, error) {
	if s.relayDown == "" {
		return s.relay.Endpoints, nil
	}
	listing, changed, err := c.ports.Relay.List(ctx)
	if err != nil {
		c.ports.Metrics.RelayError("list")
		return nil, err
	}
	c.ledger.mark(changed, c.ports.Clock.Now(), c.shown(sourceRelay))
	return listing.Endpoints, nil
}

// namespaces that the id has or may get.
func (t *task) namespaces() []string {
	var list []string
	add := func(ns string) {
		if ns != "" && !slices.Contains(list, ns) {
			list = append(list, ns)
		}
	}
	if t.obs.Row != nil {
		add(t.obs.Row.Namespace())
	}
	if t.obs.Tombstone != nil {
		add(t.obs.Tombstone.Record.Namespace())
	}
	if t.obs.Home != nil {
		add(t.obs.Home.Place.Namespace)
	}
	for i := range t.obs.Claims {
		add(t.obs.Claims[i].Place.Namespace)
	}
	return list
}

// complete adds what follows from the batch's reading and from what this
// process has seen before.
func (c *Controller) complete(r *reading, t *task) {
	o := &t.obs
	o.Relay = plan.Relay{
		Enabled: c.ports.Relay != nil, Down: r.down, Degraded: r.degraded,
		Endpoints: r.endpoints[t.id], Rules: r.rules, Kept: r.s.relay.Kept[t.id] && !c.ledger.isRestored(t.id),
	}
	slices.SortFunc(o.Relay.Endpoints, func(a, b agent.Endpoint) int { return compare(a.Subject, b.Subject) })
	o.Relay.Shared = map[string]bool{}
	for _, ns := range t.namespaces() {
		o.Relay.Shared[ns] = r.s.shared(ns, t.id)
	}
	for _, e := range o.Relay.Endpoints {
		ns, _, _ := agent.ParseSubject(string(e.Subject))
		o.Relay.Shared[ns] = r.s.shared(ns, t.id)
	}
	path := recordedPath(&agent.View{Row: o.Row, Tombstone: o.Tombstone})
	fresh := r.s.began >= c.settling.since()
	if path == "" {
		o.Complete = fresh && r.s.files.Complete()
	} else {
		o.Complete = fresh && r.s.files.CompleteFor(path)
	}
	// An operator who names a place knows where the agent is.
	o.Complete = o.Complete || t.intent != nil && t.intent.path != ""
	c.countLook(r, o)
	if o.State.Missing() && o.Row != nil && o.Row.ScanRoot != "" {
		o.Mass = r.holds.of(o.Row.ScanRoot, func(root string) *plan.Hold { return c.watchMass(r.s, root, r.now.Wall) })
		o.MassReturned = o.Mass == nil && o.State.Held && c.massReturned(r.s, o.Row.ScanRoot, o.State.MissingSince, r.now.Wall)
	}
}

// countLook counts looks at an absence; anything else starts settling afresh.
func (c *Controller) countLook(r *reading, o *plan.Observation) {
	absent := o.Home == nil && len(o.Claims) == 0
	if o.Home != nil {
		absent = o.Home.Look.Judge(o.ID, agent.Mount{}).Absent()
	}
	if !absent {
		c.settling.forget(o.ID)
		return
	}
	o.Looks, o.AbsentFor = c.settling.absent(o.ID, r.awake)
}

// directory is the identity that the id's directory had when it was last seen.
func (l *ledger) directory(id agent.ID) agent.FileID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.directories[id]
}
