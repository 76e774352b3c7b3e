package store

import (
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func rowOf(t testing.TB, s *Store, id string) *agent.Record {
	t.Helper()
	row := view(t, s, id).Row
	if row == nil {
		t.Fatalf("no row of %s", id)
	}
	return row
}

func edited(rec *agent.Record, edit func(*agent.Record)) *agent.Record {
	e := *rec
	edit(&e)
	return &e
}

func TestInsertThenReadBack(t *testing.T) {
	s := openNew(t)
	want := record("a", "/r/a")
	want.LastSeenAt, want.LastSeenEvent = agent.TextCell("2026-02-02T00:00:00.000Z"), agent.TextCell("heartbeat")
	want.Entrypoint, want.Version = agent.TextCell("main"), agent.TextCell("1.2")
	commit(t, s, agent.Change{ID: "a", At: at(0), Op: agent.InsertRow, Row: want})
	want.UpdatedAt = agent.FormatTime(t0)
	if diff := cmp.Diff(want, rowOf(t, s, "a")); diff != "" {
		t.Error(diff)
	}
	_, paths, err := s.Read(t.Context(), nil, []string{"/r/a", "/r/b"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]agent.ID{"/r/a": "a"}, paths); diff != "" {
		t.Error(diff)
	}
}

func TestUpdateWritesOnlyWhatDiffers(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/a"))
	was := rowOf(t, s, "a")
	// What DorkOS touches in passing is no conflict and stays.
	sqlite(t, s.path, `UPDATE agents SET last_seen_at = 'seen', updated_at = 'then', approver = 'you'`)
	to := edited(was, func(r *agent.Record) {
		r.Fields[agent.FieldName] = agent.TextCell("new")
		r.Status, r.RegisteredAt, r.LastSeenAt = agent.Unreachable, "never", agent.Cell{}
	})
	commit(t, s, agent.Change{ID: "a", At: at(time.Minute), Expected: was, Op: agent.UpdateRow, Row: to})
	want := edited(was, func(r *agent.Record) {
		r.Fields[agent.FieldName] = agent.TextCell("new")
		r.Status, r.LastSeenAt, r.Approver = agent.Unreachable, agent.TextCell("seen"), agent.TextCell("you")
		r.UpdatedAt = agent.FormatTime(t0.Add(time.Minute))
	})
	got := rowOf(t, s, "a")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	commit(t, s, agent.Change{ID: "a", At: at(time.Hour), Expected: got, Op: agent.UpdateRow, Row: got})
	if diff := cmp.Diff(want, rowOf(t, s, "a")); diff != "" {
		t.Errorf("an update that says the same wrote: %s", diff)
	}
}

func TestRelocateKeepsWhatOnlyTheIndexKnows(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/a"))
	sqlite(t, s.path, `UPDATE agents SET last_seen_at = 'seen', entrypoint = 'e'`)
	was := rowOf(t, s, "a")
	to := edited(record("a", "/q/a"), func(r *agent.Record) {
		r.ScanRoot, r.RegisteredAt, r.Approver = "/q", "never", agent.TextCell("nobody")
	})
	commit(t, s, agent.Change{ID: "a", At: at(time.Minute), Expected: was, Op: agent.RelocateRow, Row: to})
	want := edited(was, func(r *agent.Record) {
		r.Path, r.ScanRoot, r.UpdatedAt = "/q/a", "/q", agent.FormatTime(t0.Add(time.Minute))
	})
	if diff := cmp.Diff(want, rowOf(t, s, "a")); diff != "" {
		t.Error(diff)
	}
}

func TestRemoveIsIdempotent(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/a"))
	was := rowOf(t, s, "a")
	commit(t, s, agent.Change{
		ID: "a", At: at(0), Expected: was, Op: agent.RemoveRow, Durable: true,
		Bury: &agent.Tombstone{Reason: agent.Removed, At: t0, Record: *was, Evidence: `{"errno":"ENOENT"}`},
		Left: []string{"ns"},
	})
	if !s.c.full {
		t.Error("a durable change was not synced")
	}
	v := view(t, s, "a")
	if v.Row != nil || v.Tombstone == nil || v.Tombstone.Reason != agent.Removed {
		t.Fatalf("%+v", v)
	}
	if diff := cmp.Diff(*was, v.Tombstone.Record); diff != "" {
		t.Error(diff)
	}
	commit(t, s, agent.Change{ID: "a", At: at(0), Op: agent.RemoveRow})
	conflict(t, s, agent.Change{ID: "a", At: at(0), Expected: was, Op: agent.RemoveRow})
	commit(t, s, insert("b", "/r/b"))
	if s.c.full {
		t.Error("a change that can be derived anew was synced")
	}
}

// Every compared value that moved since the observation is a conflict, and a
// conflict leaves the rest of its batch alone.
func TestConflictOnEveryComparedValue(t *testing.T) {
	edits := map[string]string{
		"path":      `project_path = '/elsewhere'`,
		"scan root": `scan_root = '/other'`,
		"status":    `status = 'unreachable'`,
	}
	for i := range agent.FieldTable {
		f := &agent.FieldTable[i]
		edits[f.Name] = fmt.Sprintf(`%q = 'moved'`, f.Column)
	}
	s := openNew(t)
	for name, edit := range edits {
		a, b := "a "+name, "b "+name
		commit(t, s, insert(a, "/r/"+a), insert(b, "/r/"+b))
		was := rowOf(t, s, a)
		sqlite(t, s.path, `UPDATE agents SET `+edit+` WHERE id = '`+a+`'`)
		for _, op := range []agent.RowOp{agent.KeepRow, agent.InsertRow, agent.UpdateRow, agent.RelocateRow, agent.RemoveRow} {
			conflict(t, s, agent.Change{
				ID: was.ID, At: at(0), Expected: was, Op: op, Row: was, Left: []string{"x"},
			})
		}
		errs, err := s.Commit(t.Context(), []agent.Change{
			{ID: was.ID, At: at(0), Expected: was, Op: agent.RemoveRow},
			{ID: agent.ID(b), At: at(0), Expected: rowOf(t, s, b), Op: agent.RemoveRow},
		})
		if err != nil || errs[0] == nil || errs[1] != nil {
			t.Fatal(name, errs, err)
		}
		if view(t, s, b).Row != nil {
			t.Error(name, "a neighbour's conflict stopped b")
		}
	}
	if l, _ := list(t, s); len(l.Left) > 0 {
		t.Error("a conflict wrote")
	}
}

func TestConflictOfExistence(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/a"))
	conflict(t, s, insert("a", "/r/a"))
	conflict(t, s, insert("b", "/r/a"))
	ghost := record("b", "/r/b")
	for _, op := range []agent.RowOp{agent.UpdateRow, agent.RelocateRow} {
		conflict(t, s, agent.Change{ID: "b", At: at(0), Op: op, Row: ghost})
		conflict(t, s, agent.Change{ID: "b", At: at(0), Op: op, Row: ghost, Expected: ghost})
	}
	wrong := insert("b", "/r/a")
	wrong.Displaces = "c"
	conflict(t, s, wrong)
	wrong = insert("b", "/r/free")
	wrong.Displaces = "a"
	conflict(t, s, wrong)
	errs, err := s.Commit(t.Context(), []agent.Change{{ID: "b", Op: agent.InsertRow}})
	if err != nil || errs[0] == nil {
		t.Error("an insert without a row", errs, err)
	}
}

func TestTakeDisplacesTheIncumbent(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("old", "/r/p"))
	sqlite(t, s.path, `UPDATE agents SET last_seen_at = 'seen'`)
	was := rowOf(t, s, "old")
	take := insert("new", "/r/p")
	take.Displaces = "old"
	take.DisplacedState = &agent.State{ID: "old", MissingSince: t0, Clock: at(0), Evidence: agent.OtherAgent}
	commit(t, s, take)

	l, _ := list(t, s)
	if len(l.Entries) != 1 || l.Entries[0].ID != "new" || l.Displaced["old"].Reason != agent.Displaced {
		t.Fatalf("%+v", l)
	}
	v := view(t, s, "old")
	if diff := cmp.Diff(*was, v.Tombstone.Record); diff != "" {
		t.Error(diff)
	}
	if !v.State.MissingSince.Equal(t0) || v.State.Evidence != agent.OtherAgent {
		t.Errorf("%+v", v.State)
	}

	// DorkOS may make its row anew: then it is not displaced any more.
	sqlite(t, s.path, `INSERT INTO agents (id, name, runtime, project_path, registered_at, updated_at) VALUES ('old', 'n', 'codex', '/r/x', '', '')`)
	if l, _ := list(t, s); len(l.Displaced) > 0 || len(l.Entries) != 2 {
		t.Errorf("%+v", l)
	}
	sqlite(t, s.path, `DELETE FROM agents WHERE id = 'old'`)

	// Its manifest turns up: everything comes back, and the tombstone is consumed.
	back := agent.Change{
		ID: "old", At: at(time.Hour), Op: agent.InsertRow, SetState: true,
		Row: edited(&v.Tombstone.Record, func(r *agent.Record) { r.Path = "/r/q" }),
	}
	commit(t, s, back)
	if got := view(t, s, "old"); got.Tombstone != nil || got.State != nil || got.Row.LastSeenAt != agent.TextCell("seen") {
		t.Errorf("%+v", got)
	}
}

// A plan was made before an operator pauses or resumes, and lands after it: either
// has the last word about what is his.
func TestPauseAndStateDoNotOverruleEachOther(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/p"))
	row := rowOf(t, s, "a")
	missing := agent.State{MissingSince: t0, Clock: at(0), Evidence: agent.FileMissing}
	want := func(since time.Time, paused bool) {
		t.Helper()
		st := view(t, s, "a").State
		if st == nil {
			st = &agent.State{}
		}
		if !st.MissingSince.Equal(since) || st.Paused != paused {
			t.Errorf("%+v, want missing since %v, paused %v", st, since, paused)
		}
	}
	pause := func(paused bool) agent.Change { return agent.Change{ID: "a", At: at(0), Expected: row, Pause: &paused} }
	planned := func(st *agent.State) agent.Change {
		return agent.Change{ID: "a", At: at(0), Expected: row, SetState: true, State: st}
	}
	commit(t, s, pause(true))
	commit(t, s, planned(&missing)) // which knew of no pause
	want(t0, true)
	commit(t, s, pause(false))
	want(t0, false)
	stale := missing
	stale.Paused = true
	commit(t, s, planned(&stale))
	want(t0, false)
	commit(t, s, pause(true))
	commit(t, s, planned(nil))
	want(time.Time{}, true)
	commit(t, s, pause(false))
	if v := view(t, s, "a"); v.State != nil {
		t.Errorf("%+v is left", v.State)
	}
}

func TestDisplacedStateDoesNotRestartAClock(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("old", "/r/p"), insert("paused", "/r/q"))
	commit(t, s,
		agent.Change{
			ID: "old", At: at(0), Expected: rowOf(t, s, "old"), SetState: true,
			State: &agent.State{MissingSince: t0, Clock: at(0), Evidence: agent.FileMissing},
		},
		agent.Change{
			ID: "paused", At: at(0), Expected: rowOf(t, s, "paused"), SetState: true, Pause: new(true),
			State: &agent.State{Mount: agent.Mount{Point: "/m"}},
		})
	for id, path := range map[agent.ID]string{"old": "/r/p", "paused": "/r/q"} {
		take := insert("new-"+string(id), path)
		take.Displaces = id
		take.DisplacedState = &agent.State{MissingSince: t0.Add(time.Hour), Clock: at(time.Hour), Evidence: agent.OtherAgent}
		commit(t, s, take)
	}
	if st := view(t, s, "old").State; !st.MissingSince.Equal(t0) || st.Evidence != agent.FileMissing {
		t.Errorf("the clock was set anew: %+v", st)
	}
	if st := view(t, s, "paused").State; !st.Paused || st.Mount.Point != "/m" || !st.MissingSince.Equal(t0.Add(time.Hour)) {
		t.Errorf("%+v", st)
	}
}

// Three directories change places in a circle: each change is its own, the path
// is unique all along, and nobody loses what only the index knew.
func TestRotationOfThree(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/1"), insert("b", "/r/2"), insert("c", "/r/3"))
	sqlite(t, s.path, `UPDATE agents SET last_seen_at = 'seen ' || id`)
	homes := map[string]string{"a": "/r/2", "b": "/r/3", "c": "/r/1"}
	for range 3 { // each round is a sweep: observe, then write
		for id, path := range homes {
			views, paths, err := s.Read(t.Context(), []agent.ID{agent.ID(id)}, []string{path})
			if err != nil {
				t.Fatal(err)
			}
			v := views[agent.ID(id)]
			if v.Row != nil && v.Row.Path == path {
				continue
			}
			ch := agent.Change{ID: agent.ID(id), At: at(0), Expected: v.Row, Op: agent.RelocateRow, Displaces: paths[path]}
			if v.Row == nil {
				ch.Op, ch.Row = agent.InsertRow, edited(&v.Tombstone.Record, func(r *agent.Record) { r.Path = path })
			} else {
				ch.Row = edited(v.Row, func(r *agent.Record) { r.Path = path })
			}
			commit(t, s, ch)
		}
	}
	for id, path := range homes {
		row := rowOf(t, s, id)
		if row.Path != path || row.LastSeenAt != agent.TextCell("seen "+id) {
			t.Errorf("%s: %+v", id, row)
		}
	}
	if stones, err := s.Tombstones(t.Context()); err != nil || len(stones) > 0 {
		t.Error(stones, err)
	}
}

// A row that is there and active voids the tombstone, whoever brought it back;
// one that is unreachable may have a removal under way.
func TestAnActiveRowDropsTheTombstone(t *testing.T) {
	for _, c := range []struct {
		name   string
		op     agent.RowOp
		status string
		stays  bool
	}{
		{"insert over a row that another writer made", agent.InsertRow, agent.Active, false},
		{"update", agent.UpdateRow, agent.Active, false},
		{"update of an orphan", agent.UpdateRow, agent.Unreachable, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			rec := record("a", "/r/a")
			commit(t, s, agent.Change{ID: "a", At: at(0), Bury: &agent.Tombstone{Reason: agent.Removed, Record: *rec}})
			sqlite(t, s.path, `INSERT INTO agents (id, name, runtime, project_path, registered_at, updated_at) VALUES ('a', 'n', 'codex', '/r/a', 'then', 'then')`)
			next := edited(rec, func(r *agent.Record) { r.Status = c.status })
			commit(t, s, agent.Change{ID: "a", At: at(0), Expected: rowOf(t, s, "a"), Op: c.op, Row: next})
			v := view(t, s, "a")
			if (v.Tombstone != nil) != c.stays || v.Row.RegisteredAt != "then" || v.Row.Name() != "name of a" {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestProblemsKeepSince(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/a"))
	row := rowOf(t, s, "a")
	set := func(d time.Duration, problems ...agent.Problem) []agent.Problem {
		t.Helper()
		commit(t, s, agent.Change{ID: "a", At: at(d), Expected: row, SetProblems: true, Problems: problems})
		return view(t, s, "a").Problems
	}
	dup := agent.Problem{Path: "/r/copy", Reason: agent.DuplicateID, Message: "a copy"}
	set(0, dup)
	dup.Message = "still a copy"
	got := set(time.Hour, dup, agent.Problem{Path: "/r/a", Reason: agent.Contested})
	want := []agent.Problem{
		{ID: "a", Path: "/r/a", Reason: agent.Contested, Since: t0.Add(time.Hour)},
		{ID: "a", Path: "/r/copy", Reason: agent.DuplicateID, Message: "still a copy", Since: t0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := s.CommitProblems(t.Context(), []agent.Problem{{Path: "/r/bad", Reason: agent.ManifestInvalid}}); err != nil {
		t.Fatal(err)
	}
	if got := set(2 * time.Hour); len(got) > 0 {
		t.Error(got)
	}
	l, _ := list(t, s)
	if len(l.Problems) != 1 || l.Problems[0].Path != "/r/bad" || l.Problems[0].Since.IsZero() {
		t.Error(l.Problems)
	}
}

// A change that says what is so already leaves the file alone.
func TestSayingTheSameWritesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mesh.db")
	lock, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	s := open(t, Options{Path: path, Lock: lock, Now: time.Now})
	state := &agent.State{MissingSince: t0.Add(123456 * time.Nanosecond), Clock: at(0), Evidence: agent.FileMissing}
	problems := []agent.Problem{{Path: "/r/a", Reason: agent.Contested, Message: "m"}}
	commit(t, s, insert("a", "/r/a"))
	row := rowOf(t, s, "a")
	commit(t, s, agent.Change{ID: "a", At: at(0), Expected: row, SetState: true, State: state, SetProblems: true, Problems: problems, Left: []string{"ns"}})
	roots := []agent.Root{{Path: "/r", Mount: agent.Mount{Point: "/"}, ReleasedAt: t0}}
	if err := s.CommitRoots(t.Context(), roots); err != nil {
		t.Fatal(err)
	}
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	before, err := lookAt(path)
	if err != nil {
		t.Fatal(err)
	}
	note := readNote(path + ".lock")
	for _, do := range []func() error{
		func() error { commit(t, s, agent.Change{ID: "a", Expected: row}); return nil },
		func() error {
			commit(t, s, agent.Change{
				ID: "a", At: at(time.Hour), Expected: row, Op: agent.UpdateRow, Row: row,
				SetState: true, State: state, SetProblems: true, Problems: problems, Left: []string{"ns"}, Durable: true,
			})
			return nil
		},
		func() error { return s.CommitRoots(t.Context(), roots) },
		func() error { return s.CommitProblems(t.Context(), nil) },
		func() error { return s.ForgetLeft(t.Context(), []string{"other"}) },
		func() error { return s.Found(t.Context()) },
		func() error { return s.Writable(t.Context()) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if err := s.Rest(); err != nil {
			t.Fatal(err)
		}
	}
	after, err := lookAt(path)
	if err != nil {
		t.Fatal(err)
	}
	if before != after {
		t.Errorf("the file was written:\n%+v\n%+v", before, after)
	}
	if got := readNote(path + ".lock"); !reflect.DeepEqual(got, note) {
		t.Errorf("the stamp was renewed: %+v, %+v", note, got)
	}
}

func TestLeftVacantForget(t *testing.T) {
	s := openNew(t)
	ch := insert("a", "/r/a")
	ch.Left = []string{"gone", "ns", "gone"}
	commit(t, s, ch)
	sqlite(t, s.path, `UPDATE agents SET is_system = 1`)
	got, err := s.Vacant(t.Context(), []string{"gone", "ns"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]agent.Vacancy{"gone": {Empty: true, NoSystem: true}, "ns": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := s.ForgetLeft(t.Context(), []string{"gone"}); err != nil {
		t.Fatal(err)
	}
	if l, _ := list(t, s); !cmp.Equal(l.Left, []string{"ns"}) {
		t.Error(l.Left)
	}
}

func TestMoreThanOneTransaction(t *testing.T) {
	s := openNew(t)
	fill(t, s, maxChanges*2+1)
	if l, _ := list(t, s); len(l.Entries) != maxChanges*2+1 {
		t.Error(len(l.Entries))
	}
}

// Changes that take long are spread over transactions, each with a stamp of its
// own.
func TestTransactionsAreShort(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	now := time.Now()
	for _, step := range []time.Duration{maxHold / 2, -maxHold / 2, maxHold} {
		x.s.now = func() time.Time { now = now.Add(step); return now }
		perTransaction := int(maxHold / step.Abs())
		left := len(x.s.c.ahead)
		var changes []agent.Change
		for i := range 2*perTransaction + 1 {
			changes = append(changes, insert(fmt.Sprint(step, i), fmt.Sprint("/r/", step, i)))
		}
		commit(t, x.s, changes...)
		if left == 0 {
			left = maxAhead
		}
		if got := left - len(x.s.c.ahead); got != 3 {
			t.Errorf("%v a change: %d transactions", step, got)
		}
	}
}
