package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Commit applies each change in its own right, all in one transaction.
func (x *index) Commit(_ context.Context, changes []agent.Change) ([]error, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	errs := make([]error, len(changes))
	t := &transaction{purged: x.purged, rows: map[agent.ID]bool{}, states: map[agent.ID]bool{}}
	err := x.act("index.Commit", idsOf(changes), func() error {
		t.db = x.connect().clone()
		for i := range changes {
			ch := &changes[i]
			if errs[i] = t.apply(ch); errs[i] == nil {
				x.watch.commits(ch)
			}
		}
		if t.wrote {
			x.watch.outlived(t.purge())
			x.purged = t.purged
			*x.db = *t.db
			x.restamp()
			x.wrote("index")
			x.watch.looked()
		}
		return nil
	})
	learn(x, t.rows, err, x.rows, x.db.rows)
	learn(x, t.states, err, x.states, x.db.states)
	return errs, err
}

// learn makes own writes no change for the next List; of those whose outcome is
// not known it tells.
func learn[V any](x *index, touched map[agent.ID]bool, err error, mine, theirs map[agent.ID]V) {
	for id := range touched {
		v, ok := theirs[id]
		switch {
		case err != nil:
			x.doubted[id] = true
		case x.listing == nil:
		case ok:
			mine[id] = v
		default:
			delete(mine, id)
		}
	}
}

func idsOf(changes []agent.Change) string {
	s := ""
	for i := range changes {
		s += fmt.Sprintf(" %s/%d", changes[i].ID, changes[i].Op)
	}
	return s
}

// transaction is a commit under way.
type transaction struct {
	db    *database
	at    time.Time
	wrote bool
	// rows and states that it writes.
	rows, states map[agent.ID]bool
	purged       time.Time
}

func (t *transaction) apply(ch *agent.Change) error {
	if ch.Empty() && ch.Displaces == "" {
		return nil // it says nothing, and is not looked at
	}
	if !ch.At.Wall.IsZero() {
		t.at = ch.At.Wall
	}
	var row *agent.Record
	if r, ok := t.db.rows[ch.ID]; ok {
		row = &r
	}
	if !matches(row, ch.Expected) {
		return fmt.Errorf("%s: %w: the row is another one", ch.ID, agent.ErrConflict)
	}
	if row == nil && (ch.Op == agent.UpdateRow || ch.Op == agent.RelocateRow) {
		return fmt.Errorf("%s: %w: there is no row", ch.ID, agent.ErrConflict)
	}
	at := agent.ID("")
	if ch.Op == agent.InsertRow || ch.Op == agent.RelocateRow {
		if at = t.db.standing(ch.Row.Path); at == ch.ID {
			at = ""
		}
	}
	if at != ch.Displaces {
		return fmt.Errorf("%s: %w: %q stands at the path", ch.ID, agent.ErrConflict, at)
	}
	if at != "" {
		t.displace(at, ch.DisplacedState)
	}
	t.applyRow(ch, row)
	t.applyOwn(ch)
	return nil
}

// matches compares what a write is decided on.
func matches(row, expected *agent.Record) bool {
	if row == nil || expected == nil {
		return row == expected
	}
	return row.Path == expected.Path && row.ScanRoot == expected.ScanRoot && row.Status == expected.Status && row.Fields == expected.Fields
}

func (t *transaction) displace(id agent.ID, state *agent.State) {
	t.bury(&agent.Tombstone{ID: id, Reason: agent.Displaced, At: t.at, Record: t.db.rows[id]})
	delete(t.db.rows, id)
	t.wrote, t.rows[id] = true, true
	old := t.db.states[id]
	if state == nil || old.Missing() {
		return
	}
	merged := *state
	if merged.Mount.IsZero() {
		merged.Mount = old.Mount
	}
	t.setState(id, &merged)
}

func (t *transaction) applyRow(ch *agent.Change, row *agent.Record) {
	switch ch.Op {
	case agent.KeepRow:
	case agent.RemoveRow:
		if row != nil {
			delete(t.db.rows, ch.ID)
			t.wrote, t.rows[ch.ID] = true, true
		}
	case agent.InsertRow, agent.UpdateRow, agent.RelocateRow:
		next := *ch.Row
		if row != nil {
			next = *row
			next.ScanRoot, next.Status, next.Fields = ch.Row.ScanRoot, ch.Row.Status, ch.Row.Fields
			if ch.Op != agent.UpdateRow {
				next.Path = ch.Row.Path
			}
			if matches(row, &next) {
				return
			}
		}
		next.UpdatedAt = agent.FormatTime(t.at)
		t.db.rows[ch.ID] = next
		t.wrote, t.rows[ch.ID] = true, true
	}
}

func (t *transaction) applyOwn(ch *agent.Change) {
	switch {
	case ch.Bury != nil:
		grave := *ch.Bury
		grave.ID = ch.ID
		t.bury(&grave)
	case ch.Unbury, ch.Op == agent.InsertRow, ch.Row != nil && ch.Row.Status == agent.Active:
		if _, ok := t.db.graves[ch.ID]; ok {
			delete(t.db.graves, ch.ID)
			t.wrote = true
		}
	}
	if ch.SetState {
		t.setState(ch.ID, ch.State)
	}
	if ch.Pause != nil {
		next := t.db.states[ch.ID]
		next.Paused = *ch.Pause
		t.putState(ch.ID, &next)
	}
	if ch.SetProblems && t.db.setProblems(ch.ID, ch.Problems, t.at) {
		t.wrote = true
	}
	for _, ns := range ch.Left {
		t.wrote = t.wrote || !t.db.left[ns]
		t.db.left[ns] = true
	}
	for _, e := range ch.Events {
		if e.At.IsZero() {
			e.At = t.at
		}
		e.At = stored(e.At)
		t.db.events = append(t.db.events, e)
		t.wrote = true
	}
}

func (t *transaction) bury(grave *agent.Tombstone) {
	if grave.At.IsZero() {
		grave.At = t.at
	}
	grave.At = stored(grave.At)
	grave.Record.ID = grave.ID
	t.db.graves[grave.ID] = *grave
	t.wrote = true
}

// setState leaves it as it is whether the id is paused.
func (t *transaction) setState(id agent.ID, st *agent.State) {
	next := agent.State{}
	if st != nil {
		next = *st
	}
	next.Paused = t.db.states[id].Paused
	t.putState(id, &next)
}

func (t *transaction) putState(id agent.ID, st *agent.State) {
	was, found := t.db.states[id]
	if st.Empty() {
		if found {
			delete(t.db.states, id)
			t.wrote, t.states[id] = true, true
		}
		return
	}
	now := *st
	now.ID, now.MissingSince, now.Clock.Wall = id, stored(st.MissingSince), stored(st.Clock.Wall)
	if found && was == now {
		return
	}
	t.db.states[id] = now
	t.wrote, t.states[id] = true, true
}

// setProblems replaces the problems of an id; one that stays keeps its since.
func (db *database) setProblems(id agent.ID, problems []agent.Problem, at time.Time) bool {
	type key struct {
		path   string
		reason agent.Reason
	}
	were, now := map[key]agent.Problem{}, map[key]agent.Problem{}
	for _, p := range db.problems[id] {
		were[key{p.Path, p.Reason}] = p
	}
	for _, p := range problems {
		k := key{p.Path, p.Reason}
		if _, twice := now[k]; twice {
			continue
		}
		p.ID, p.Since = id, stored(at)
		if was, stays := were[k]; stays {
			p.Since = was.Since
		}
		now[k] = p
	}
	if maps.Equal(were, now) {
		return false
	}
	list := slices.Collect(maps.Values(now))
	slices.SortFunc(list, func(a, b agent.Problem) int {
		if a.Path != b.Path {
			if a.Path < b.Path {
				return -1
			}
			return 1
		}
		if a.Reason < b.Reason {
			return -1
		}
		return 1
	})
	delete(db.problems, id)
	if len(list) > 0 {
		db.problems[id] = list
	}
	return true
}

const (
	retention  = 30 * 24 * time.Hour
	purgeEvery = time.Hour
)

// purge drops what is too old, but no tombstone whose clock still runs, and
// returns the tombstones that went.
func (t *transaction) purge() []agent.Tombstone {
	if t.at.Sub(t.purged).Abs() < purgeEvery {
		return nil
	}
	t.purged = t.at
	old := t.at.Add(-retention)
	t.db.events = slices.DeleteFunc(t.db.events, func(e agent.Event) bool { return e.At.Before(old) })
	var gone []agent.Tombstone
	for id, grave := range t.db.graves {
		if st := t.db.states[id]; grave.At.Before(old) && !st.Missing() {
			delete(t.db.graves, id)
			gone = append(gone, grave)
		}
	}
	return gone
}
