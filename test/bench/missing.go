package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// All agents missing at once: one sweep marks them, at the price of three quiet
// ones and of the writes, which are made on an index of the same size.
func measureMissing(ctx context.Context, b *bench, f fleet) (_ []figures, err error) {
	d, err := b.settled(ctx, f, "--scan-depth", "2", "--resync-interval", "0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	defer func() { err = errors.Join(err, bringBack(f.root)) }()
	marked, sweeps := figures{line: "missing"}, figures{line: "missing-sweeps"}
	for range b.rounds {
		quiet, err := d.measureSweep(ctx)
		if err != nil {
			return nil, err
		}
		writes, err := markFloor(d.home)
		if err != nil {
			return nil, err
		}
		if err := takeAway(f.root); err != nil {
			return nil, err
		}
		s, n, err := d.untilUnreachable(ctx, f.n)
		if err != nil {
			return nil, err
		}
		if err := bringBack(f.root); err != nil {
			return nil, err
		}
		back, err := d.sweep(ctx)
		if err == nil && back.Counts.Resurrected != f.n {
			err = fmt.Errorf("%d of %d came back", back.Counts.Resurrected, f.n)
		}
		if err != nil {
			return nil, err
		}
		if err := d.settle(ctx); err != nil {
			return nil, err
		}
		marked.ours, marked.other = append(marked.ours, s), append(marked.other, 3*quiet.wall+writes)
		sweeps.ours = append(sweeps.ours, n)
	}
	return []figures{marked, sweeps}, nil
}

// untilUnreachable orders sweeps until all are marked; at most three.
func (d *daemon) untilUnreachable(ctx context.Context, n int) (wall, sweeps float64, err error) {
	marked := 0
	var s swept
	for marked < n && sweeps < 3 {
		if s, err = d.measureSweep(ctx); err != nil {
			return 0, 0, err
		}
		wall, sweeps, marked = wall+s.wall, sweeps+1, marked+s.Counts.Unreachable
	}
	if marked != n {
		err = fmt.Errorf("%d of %d are marked: %+v", marked, n, s.outcome)
	}
	return wall, sweeps, err
}

// markFloor is what the least writing costs that marks every agent of an index
// with its absence and an event, 200 to a transaction: wall seconds. It is made
// in a copy.
func markFloor(h home) (wall float64, err error) {
	x, err := openIndex(h.index())
	if err != nil {
		return 0, err
	}
	fresh := h.file("marks.db")
	if err := errors.Join(x.exec("VACUUM INTO '"+fresh+"'"), x.close()); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, removeIndex(fresh)) }()
	if x, err = openIndex(fresh); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	ids, err := x.texts("SELECT id FROM agents ORDER BY id")
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for len(ids) > 0 {
		batch := ids[:min(perBatch, len(ids))]
		ids = ids[len(batch):]
		if err := markBatch(x, batch); err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds(), nil
}

var marks = []string{
	"UPDATE agents SET status='unreachable', updated_at='2026-01-01T00:00:00.000Z' WHERE id=?",
	"INSERT OR REPLACE INTO mesh_controller_agents(agent_id, missing_since, clock_since, evidence) VALUES(?, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'PathMissing')",
	"INSERT INTO mesh_controller_events(at, agent_id, reason) VALUES('2026-01-01T00:00:00.000Z', ?, 'PathMissing')",
}

func markBatch(x *index, ids []string) error {
	if err := x.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, sql := range marks {
		st, err := x.prepare(sql)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err == nil {
				err = errors.Join(st.BindText(1, id), st.Exec())
			}
		}
		if err := errors.Join(err, st.Close()); err != nil {
			return err
		}
	}
	return x.exec("COMMIT")
}
