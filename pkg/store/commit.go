package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// A transaction takes so many changes, for so long. While it lasts DorkOS's
// writes wait, and with them its event loop. Less pays for more commits, more is
// felt there; to commit takes half as long again.
const (
	maxChanges = 200
	maxHold    = time.Millisecond
)

// Commit applies each change in its own right, up to 200 in one transaction, and
// fewer where they take long. The errors are one per change: nil,
// agent.ErrConflict where what it was decided on no longer holds, or what makes it
// no change at all. err means that nothing is known to have landed: read again.
// Changes that say nothing open no transaction, and those that turn out to change
// nothing leave no trace.
//
// A change may be committed again: the second time it conflicts, since the row
// is no longer the one expected, or finds nothing to do.
func (s *Store) Commit(ctx context.Context, changes []agent.Change) (errs []error, err error) {
	errs = make([]error, len(changes))
	var work []int
	for i := range changes {
		if errs[i] = validate(&changes[i]); errs[i] == nil && !idle(&changes[i]) {
			work = append(work, i)
		}
	}
	for len(work) > 0 {
		part := work[:min(len(work), maxChanges)]
		n, err := s.commit(ctx, changes, part, errs)
		if err != nil {
			return nil, fmt.Errorf("commit %d changes: %w", len(part), err)
		}
		work = work[n:]
	}
	return errs, nil
}

// commit applies the first of part, at least one, in one transaction, and returns
// how many.
func (s *Store) commit(ctx context.Context, changes []agent.Change, part []int, errs []error) (n int, err error) {
	durable := slices.ContainsFunc(part, func(i int) bool { return changes[i].Durable })
	at := changes[part[0]].At.Wall
	err = s.write(ctx, durable, at, func(b *burst) error {
		for n = 0; n < len(part) && (n == 0 || !b.late()); n++ {
			i := part[n]
			ch := &changes[i]
			if !ch.At.Wall.IsZero() {
				b.at = ch.At.Wall
			}
			errs[i] = nil
			err := b.apply(ch)
			if errors.Is(err, agent.ErrConflict) {
				errs[i] = fmt.Errorf("%s: %w", ch.ID, err)
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", ch.ID, err)
			}
		}
		return nil
	})
	return n, err
}

// late reports whether others have waited long enough. A clock that steps has no
// say in it.
func (b *burst) late() bool { return b.s.now().Sub(b.began).Abs() >= maxHold }

// idle changes say nothing.
func idle(ch *agent.Change) bool {
	return ch.Op == agent.KeepRow && ch.Displaces == "" && ch.Bury == nil && !ch.Unbury &&
		!ch.SetState && ch.Pause == nil && !ch.SetProblems && len(ch.Left) == 0 && len(ch.Events) == 0
}

func validate(ch *agent.Change) error {
	switch ch.Op {
	case agent.InsertRow, agent.UpdateRow, agent.RelocateRow:
		if ch.Row == nil {
			return fmt.Errorf("%s: a change of its row without a row", ch.ID)
		}
		if ch.Row.ID != ch.ID {
			return fmt.Errorf("%s: a change of its row with that of %s", ch.ID, ch.Row.ID)
		}
	case agent.KeepRow, agent.RemoveRow:
	}
	return nil
}

// apply checks everything first and writes then, so that a conflict leaves the
// transaction as it was.
func (b *burst) apply(ch *agent.Change) error {
	if b.known && b.c.schema.unique && ch.Op == agent.InsertRow && ch.Expected == nil && ch.Displaces == "" {
		// Whoever is in the way is looked at below.
		if made, err := b.insert(ch.Row); err != nil || made {
			if err == nil {
				err = b.applyOwn(ch)
			}
			return err
		}
	}
	if err := b.c.expect(ch.ID, ch.Expected); err != nil {
		return err
	}
	row := ch.Expected
	displaced, err := b.displaced(ch, row)
	if err != nil {
		return err
	}
	if displaced != nil {
		if err := b.displace(displaced, ch.DisplacedState); err != nil {
			return err
		}
	}
	if err := b.applyRow(ch, row); err != nil {
		return err
	}
	return b.applyOwn(ch)
}

// expect is a conflict where the row of an id is not the one that was observed,
// nil for none: path, root, status and every field that the index has. What DorkOS
// touches in passing (updated_at, last_seen_at) does not count.
func (c *conn) expect(id agent.ID, observed *agent.Record) error {
	same := observed == nil
	err := c.readRow(`id`, string(id), func(r *row) { same = observed != nil && c.schema.matches(r, observed) })
	if err == nil && !same {
		err = fmt.Errorf("%w: the row is not the one that was observed", agent.ErrConflict)
	}
	return err
}

func (sc *schema) matches(r *row, observed *agent.Record) bool {
	if !r.reads(colPath, observed.Path) || !r.reads(colScanRoot, observed.ScanRoot) || !r.reads(colStatus, observed.Status) {
		return false
	}
	for i := range observed.Fields {
		if sc.present.Has(i) && !r.holds(colField+i, observed.Fields[i]) {
			return false
		}
	}
	return true
}

// displaced finds the row that has to leave for this change: the one at the path
// that the change's row is going to have, which must be the one observed there.
func (b *burst) displaced(ch *agent.Change, row *agent.Record) (*agent.Record, error) {
	takes := ch.Op == agent.InsertRow || ch.Op == agent.RelocateRow
	if ch.Op == agent.UpdateRow && row == nil || ch.Op == agent.RelocateRow && row == nil {
		return nil, fmt.Errorf("%w: there is no row", agent.ErrConflict)
	}
	var at *agent.Record
	if takes {
		var err error
		if at, err = b.c.incumbent(ch.Row.Path); err != nil {
			return nil, err
		}
	}
	if at != nil && at.ID == ch.ID {
		at = nil
	}
	switch {
	case at == nil && ch.Displaces == "":
		return nil, nil
	case at == nil:
		return nil, fmt.Errorf("%w: %s does not stand at the path any more", agent.ErrConflict, ch.Displaces)
	case at.ID != ch.Displaces:
		return nil, fmt.Errorf("%w: %s stands at %s", agent.ErrConflict, at.ID, at.Path)
	}
	return at, nil
}

// displace moves a row to the tombstones. Its clock starts with state, unless it
// was running already.
func (b *burst) displace(rec *agent.Record, state *agent.State) error {
	err := b.bury(&agent.Tombstone{ID: rec.ID, Reason: agent.Displaced, At: b.at, Record: *rec})
	if err != nil {
		return err
	}
	if err := b.exec(`DELETE FROM agents WHERE project_path = ?`, rec.Path); err != nil {
		return err
	}
	b.learn.row(rec.ID, outcome{gone: true})
	if state == nil {
		return nil
	}
	was, found, err := b.c.state(rec.ID)
	if err != nil {
		return err
	}
	merged := *state
	if found {
		old := b.c.decodeState(rec.ID, was)
		if !old.MissingSince.IsZero() {
			return nil
		}
		if merged.Mount.IsZero() {
			merged.Mount = old.Mount
		}
	}
	return b.setState(rec.ID, &merged)
}

// applyOwn writes what is remembered beside the row.
func (b *burst) applyOwn(ch *agent.Change) error {
	var err error
	switch {
	case ch.Bury != nil:
		t := *ch.Bury
		t.ID = ch.ID
		err = b.bury(&t)
	case ch.Unbury, ch.Op == agent.InsertRow, ch.Row != nil && ch.Row.Status == agent.Active:
		// Consumed by an insert; one that a removal left before its agent
		// returned is void.
		err = b.unbury(ch.ID)
	}
	if err == nil && ch.SetState {
		err = b.setState(ch.ID, ch.State)
	}
	if err == nil && ch.Pause != nil {
		err = b.pause(ch.ID, *ch.Pause)
	}
	if err == nil && ch.SetProblems {
		err = b.setProblems(ch.ID, ch.Problems)
	}
	for _, namespace := range ch.Left {
		if err == nil {
			err = b.leave(namespace)
		}
	}
	for i := range ch.Events {
		if err == nil {
			err = b.event(&ch.Events[i])
		}
	}
	return err
}
