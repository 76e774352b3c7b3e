package sim

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

// TestTheModelAnswersAsTheStore does the same to the model of the index and to
// the real one, and asks both after each step.
func TestTheModelAnswersAsTheStore(t *testing.T) {
	for n := range uint64(12) {
		t.Run(itoa(int(n)), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, n)
				for range 120 {
					time.Sleep(time.Duration(1+p.IntN(90)) * time.Minute)
					p.step()
					p.same()
					if t.Failed() {
						return
					}
				}
			})
		})
	}
}

// pair is a model and a store that are to answer the same.
type pair struct {
	*rand.Rand
	t     *testing.T
	w     *world
	model *index
	store *store.Store
	path  string
	// steps so far, for the report.
	steps []string
	// backup of the store, and of the model at that time.
	backup []byte
	then   *database
}

func newPair(t *testing.T, seed uint64) *pair {
	p := &pair{Rand: rand.New(rand.NewPCG(seed, 7)), t: t, w: newWorld(seed, baseOptions()), path: filepath.Join(t.TempDir(), "mesh.db")}
	p.model = newIndex(&life{world: p.w})
	lock, err := store.Acquire(p.path)
	p.must(err)
	t.Cleanup(func() { p.must(lock.Release()) })
	p.store, err = store.Open(t.Context(), store.Options{Path: p.path, Lock: lock, Now: p.w.machine.wall})
	p.must(err)
	t.Cleanup(func() { p.must(p.store.Close()) })
	return p
}

func (p *pair) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) both(name string, do func(controller.Index) error) {
	p.t.Helper()
	p.steps = append(p.steps, name)
	p.must(do(p.model))
	p.must(do(p.store))
}

func (p *pair) step() {
	ctx, now := p.t.Context(), p.w.machine.wall()
	switch p.IntN(16) {
	case 0:
		roots := []agent.Root{{Path: "/r/a", Mount: p.mount(), ReleasedAt: now.Add(-time.Duration(p.IntN(2)) * time.Hour)}}
		p.both("roots", func(x controller.Index) error { return x.CommitRoots(ctx, roots) })
	case 1:
		problems := p.problems("")
		p.both("problems", func(x controller.Index) error { return x.CommitProblems(ctx, problems) })
	case 2:
		p.both("forget", func(x controller.Index) error { return x.ForgetLeft(ctx, []string{p.w.namespaceN(1), "none"}) })
	case 3:
		paused := p.IntN(2) == 0
		p.both("pause", func(x controller.Index) error { return x.SetPaused(ctx, paused) })
	case 4:
		p.both("deny", func(x controller.Index) error { return x.Deny(ctx, "/r/a/p1", "because", now) })
	case 5:
		p.both("undeny", func(x controller.Index) error { _, err := x.Undeny(ctx, "/r/a/p1"); return err })
	case 6:
		p.both("found", func(x controller.Index) error { return x.Found(ctx) })
	case 7:
		p.files()
	default:
		p.commit()
	}
}

// files are backed up, restored and lost.
func (p *pair) files() {
	p.must(p.store.Rest())
	switch p.IntN(4) {
	case 0:
		p.must(os.Remove(p.path))
		p.steps = append(p.steps, "delete")
		p.w.db = newDatabase()
	case 1:
		if p.then == nil {
			return
		}
		p.must(os.Remove(p.path))
		p.must(os.WriteFile(p.path, p.backup, 0o600))
		p.steps = append(p.steps, "restore")
		p.w.db = p.then.clone()
	default:
		var err error
		p.backup, err = os.ReadFile(p.path)
		p.must(err)
		p.then = p.w.db.clone()
		p.steps = append(p.steps, "backup")
	}
}

// commit makes some changes, of which some are decided on what is so no longer.
func (p *pair) commit() {
	var changes []agent.Change
	for range 1 + p.IntN(3) {
		changes = append(changes, p.change())
	}
	p.steps = append(p.steps, "commit"+idsOf(changes))
	mine, err := p.model.Commit(p.t.Context(), changes)
	p.must(err)
	theirs, err := p.store.Commit(p.t.Context(), changes)
	p.must(err)
	for i := range changes {
		if errors.Is(mine[i], agent.ErrConflict) != errors.Is(theirs[i], agent.ErrConflict) || (mine[i] == nil) != (theirs[i] == nil) {
			p.t.Errorf("%+v:\nthe model says %v\nthe store says %v", changes[i], mine[i], theirs[i])
		}
	}
}

func (p *pair) change() agent.Change {
	id := p.id()
	view := p.w.db.view(id)
	ch := agent.Change{ID: id, At: p.stamp(), Expected: view.Row, Op: agent.RowOp(p.IntN(5)), Durable: p.IntN(2) == 0}
	if p.IntN(8) == 0 {
		ch.Expected = p.record(id)
	}
	switch ch.Op {
	case agent.InsertRow, agent.UpdateRow, agent.RelocateRow:
		ch.Row = p.record(id)
		if ch.Op == agent.UpdateRow && view.Row != nil {
			ch.Row.Path = view.Row.Path
		}
		if at := p.w.db.standing(ch.Row.Path); at != id && p.IntN(6) > 0 && ch.Op != agent.UpdateRow {
			ch.Displaces = at
			if p.IntN(2) == 0 {
				ch.DisplacedState = p.state(at)
			}
		}
	case agent.KeepRow, agent.RemoveRow:
	}
	switch p.IntN(6) {
	case 0:
		ch.Bury = &agent.Tombstone{ID: id, Reason: agent.Removed, At: p.w.machine.wall(), Record: *p.record(id), Evidence: `{"now":"now"}`}
	case 1:
		ch.Unbury = true
	}
	if ch.SetState = p.IntN(2) == 0; ch.SetState && p.IntN(3) > 0 {
		ch.State = p.state(id)
	}
	if p.IntN(5) == 0 {
		ch.Pause = new(p.IntN(2) == 0)
	}
	if ch.SetProblems = p.IntN(3) == 0; ch.SetProblems {
		ch.Problems = p.problems(id)
	}
	if p.IntN(3) == 0 {
		ch.Left = []string{p.w.namespaceN(p.IntN(3))}
	}
	if p.IntN(3) == 0 {
		ch.Events = []agent.Event{{At: p.w.machine.wall(), ID: id, Reason: agent.Drifted, Path: "/r/a", Message: "m" + itoa(p.IntN(9))}}
	}
	return ch
}

func (p *pair) id() agent.ID { return agent.ID("A" + itoa(p.IntN(4))) }

func (p *pair) stamp() agent.Stamp {
	return agent.Stamp{Wall: p.w.machine.wall().Add(time.Duration(p.IntN(999)) * time.Microsecond), BootID: "boot", Offset: time.Duration(p.IntN(3)) * time.Hour}
}

func (p *pair) mount() agent.Mount {
	return agent.Mount{Point: "/", Type: "ext4", Source: "/dev/" + itoa(p.IntN(2)), Root: "/", FSID: "1"}
}

func (p *pair) record(id agent.ID) *agent.Record {
	m := agent.NewManifest()
	m.ID, m.Name, m.Runtime = id, "n"+itoa(p.IntN(3)), "codex"
	if p.IntN(2) == 0 {
		persona := "p"
		m.Persona = &persona
	}
	status := agent.Active
	if p.IntN(3) == 0 {
		status = agent.Unreachable
	}
	return &agent.Record{
		ID: id, Path: "/r/a/p" + itoa(p.IntN(3)), ScanRoot: "/r/a", Status: status, RegisteredAt: registeredAt, Approver: agent.TextCell("user"),
		Fields: agent.Desired(m, agent.Place{Namespace: p.w.namespaceN(p.IntN(3)), Managed: p.IntN(2) == 0}),
	}
}

func (p *pair) state(id agent.ID) *agent.State {
	s := &agent.State{ID: id, MissingSince: p.stamp().Wall, Clock: p.stamp(), Evidence: agent.DirMissing, Paused: p.IntN(3) == 0, Lost: p.IntN(3) == 0}
	if p.IntN(3) == 0 {
		s.MissingSince = time.Time{}
	}
	if p.IntN(2) == 0 {
		s.Mount = p.mount()
	}
	return s
}

func (p *pair) problems(id agent.ID) []agent.Problem {
	var list []agent.Problem
	for range p.IntN(3) {
		list = append(list, agent.Problem{Path: "/r/a/p" + itoa(p.IntN(3)), Reason: agent.DuplicateID, ID: id, Message: "m" + itoa(p.IntN(2))})
	}
	return list
}

// namespaceN is one of a few.
func (w *world) namespaceN(n int) string { return "ns" + itoa(n) }

// same asks both for everything.
func (p *pair) same() {
	p.t.Helper()
	ctx := p.t.Context()
	ids := []agent.ID{"A0", "A1", "A2", "A3", "none"}
	paths := []string{"/r/a/p0", "/r/a/p1", "/r/a/p2"}
	type answers struct {
		Views      map[agent.ID]agent.View
		Standing   map[string]agent.ID
		Listing    *agent.IndexListing
		Changed    []agent.ID
		Vacant     map[string]agent.Vacancy
		Events     []agent.Event
		Denials    []agent.Denial
		Tombstones []agent.Tombstone
		Named      []agent.ID
	}
	ask := func(x controller.Index) (a answers) {
		var err error
		a.Views, a.Standing, err = x.Read(ctx, ids, paths)
		p.must(err)
		if len(p.steps)%2 == 0 { // some changes come together
			a.Listing, a.Changed, err = x.List(ctx)
			p.must(err)
		}
		a.Vacant, err = x.Vacant(ctx, []string{"ns0", "ns1", "ns2"})
		p.must(err)
		a.Events, err = x.Events(ctx, agent.EventFilter{})
		p.must(err)
		a.Denials, err = x.Denials(ctx)
		p.must(err)
		a.Tombstones, err = x.Tombstones(ctx)
		p.must(err)
		a.Named, err = x.Named(ctx, "n1")
		p.must(err)
		return a
	}
	if diff := cmp.Diff(ask(p.store), ask(p.model), cmpopts.EquateEmpty()); diff != "" {
		p.t.Errorf("after %q the store (-) and the model (+) differ:\n%s", p.steps, diff)
	}
}
