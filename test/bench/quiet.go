package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// perTurn sweeps are a turn of the rotation by which projects are looked into.
const perTurn = 4

// A quiet sweep at the depth of the tree against a bare loop of stats.
func measureQuiet(ctx context.Context, b *bench, f fleet) ([]figures, error) {
	q, err := b.quiet(ctx, f, statManifests, nil, "--scan-depth", "2")
	if err != nil {
		return nil, err
	}
	lines := []figures{
		{"quiet", q.cpu, q.floor},
		{line: "quiet-writes", ours: q.written},
		{line: "memory", ours: q.hwm},
	}
	if f.n == 50 {
		lines = append(lines, figures{line: "fifty", ours: q.cpu})
	}
	return lines, nil
}

// The same after somebody else's commit, so that every row is read.
func measureForeign(ctx context.Context, b *bench, f fleet) ([]figures, error) {
	q, err := b.quiet(ctx, f, statManifests, foreignCommit, "--scan-depth", "2")
	return []figures{{"quiet-foreign-commit", q.cpu, q.floor}}, err
}

// foreignCommit is one as another program would make it.
func foreignCommit(index string) error {
	x, err := openIndex(index)
	if err != nil {
		return err
	}
	return errors.Join(x.exec("CREATE TABLE IF NOT EXISTS bench(x); INSERT INTO bench VALUES(1)"), x.close())
}

// A quiet sweep as it is set by default.
func measureDefaultDepth(ctx context.Context, b *bench, f fleet) ([]figures, error) {
	q, err := b.quiet(ctx, f, nil, nil)
	return []figures{{line: "quiet-default-depth", ours: q.cpu}}, err
}

// quietRounds are the figures of each round, per sweep: milliseconds of CPU of
// the program and of the floor, bytes that went to disk in the whole round, MiB at most.
type quietRounds struct{ cpu, floor, written, hwm []float64 }

// quiet lets a settled daemon and the floor, if there is one, run by turns; the
// daemon is halted meanwhile. With a disturb, each window has one sweep, after
// it.
func (b *bench) quiet(ctx context.Context, f fleet, floor func(paths []string) (usage, error), disturb func(index string) error, more ...string) (q quietRounds, err error) {
	paths, err := manifests(f)
	if err != nil {
		return q, err
	}
	interval := f.interval()
	d, err := b.settled(ctx, f, append(more, "--resync-interval", interval.String())...)
	if err != nil {
		return q, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	for range b.rounds {
		w, err := d.sweepsOf(ctx, interval, disturb)
		if err != nil {
			return q, err
		}
		q.cpu = append(q.cpu, w.cpu/w.sweeps*1e3)
		q.written = append(q.written, w.written)
		q.hwm = append(q.hwm, w.hwm)
		if floor == nil {
			continue
		}
		u, err := floor(paths)
		if err != nil {
			return q, err
		}
		q.floor = append(q.floor, u.cpu*1e3)
	}
	return q, nil
}

// interval leaves a daemon time to rest between two sweeps.
func (f fleet) interval() time.Duration {
	if f.n > 10_000 {
		return 2 * time.Second
	}
	return 500 * time.Millisecond
}

// sweepsOf is a window of one turn, or of the one sweep after a disturb.
func (d *daemon) sweepsOf(ctx context.Context, interval time.Duration, disturb func(index string) error) (w counters, err error) {
	for range 5 { // a machine that is busy shifts sweeps
		if err := d.awaitSweep(ctx); err != nil {
			return w, err
		}
		length := perTurn * interval
		if disturb != nil {
			if err := disturb(d.index()); err != nil {
				return w, err
			}
			length = interval
		}
		w, err = d.window(ctx, length)
		if err != nil || w.sweeps == 1 || w.sweeps > 0 && disturb == nil {
			return w, err
		}
	}
	return w, fmt.Errorf("%v sweeps fell into the window", w.sweeps)
}
