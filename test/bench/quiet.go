package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A quiet sweep at the depth of the tree against a bare loop of stats.
func measureQuiet(ctx context.Context, b *bench, root string, n int) ([]line, error) {
	q, err := b.quiet(ctx, root, n, nil, "--scan-depth", "2")
	if err != nil {
		return nil, err
	}
	lines := []line{
		{Case: "quiet", Agents: n, Unit: "ms CPU", Ours: spreadOf(q.cpu), Other: new(spreadOf(q.floor)), Ratio: new(ratioOf(q.cpu, q.floor)), Gate: "1.4 [1.15]", OtherIs: "fstatat loop"},
		{Case: "quiet-writes", Agents: n, Unit: "bytes", Ours: spreadOf(q.written), Gate: "0"},
		{Case: "memory", Agents: n, Unit: "MiB", Ours: spreadOf(q.hwm), Gate: memoryGate(n)},
	}
	if n == 50 {
		lines = append(lines, line{Case: "fifty", Agents: n, Unit: "ms CPU", Ours: spreadOf(q.cpu), Gate: "1"})
	}
	return lines, nil
}

func memoryGate(n int) string {
	if n > 10_000 {
		return "80 [48]"
	}
	return "32"
}

// The same after somebody else's commit, so that every row is read.
func measureForeign(ctx context.Context, b *bench, root string, n int) ([]line, error) {
	commit := func(home string) error {
		return exec.CommandContext(ctx, "sqlite3", filepath.Join(home, "mesh.db"),
			"PRAGMA busy_timeout=5000; CREATE TABLE IF NOT EXISTS bench(x); INSERT INTO bench VALUES(1)").Run()
	}
	q, err := b.quiet(ctx, root, n, commit, "--scan-depth", "2")
	if err != nil {
		return nil, err
	}
	return []line{{Case: "quiet-foreign-commit", Agents: n, Unit: "ms CPU", Ours: spreadOf(q.cpu), Other: new(spreadOf(q.floor)), Ratio: new(ratioOf(q.cpu, q.floor)), Gate: "1.75 [1.5]", OtherIs: "fstatat loop"}}, nil
}

// A quiet sweep as it is set by default.
func measureDefaultDepth(ctx context.Context, b *bench, root string, n int) ([]line, error) {
	q, err := b.quiet(ctx, root, n, nil)
	if err != nil {
		return nil, err
	}
	gate := ""
	if n == 10_000 {
		gate = "150"
	}
	return []line{{Case: "quiet-default-depth", Agents: n, Unit: "ms CPU", Ours: spreadOf(q.cpu), Gate: gate}}, nil
}

// quietRounds are the figures of each round, per sweep: milliseconds of CPU of
// the program and of the floor, allocations per agent, bytes that went to disk
// in the whole round, MiB at most.
type quietRounds struct{ cpu, floor, written, hwm []float64 }

// perRound sweeps are a turn of the rotation by which projects are looked into.
const perRound = 4

// quiet lets a settled daemon and the floor run by turns; the daemon is halted
// meanwhile. With a disturb, each window has one sweep, after it.
func (b *bench) quiet(ctx context.Context, root string, n int, disturb func(home string) error, more ...string) (q quietRounds, err error) {
	paths, err := manifests(root, n)
	if err != nil {
		return q, err
	}
	home, err := os.MkdirTemp(b.dir, "home-")
	if err != nil {
		return q, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	if _, _, _, err := b.sync(ctx, home, root, more...); err != nil {
		return q, err
	}
	interval := 500 * time.Millisecond
	if n > 10_000 {
		interval = 2 * time.Second
	}
	d, err := startDaemon(ctx, b, home, root, append(more, "--resync-interval", interval.String())...)
	if err != nil {
		return q, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	time.Sleep(3*time.Second + perRound*interval) // what was just written is racy for two seconds
	length := perRound * interval
	if disturb != nil {
		length = interval
	}
	for range b.rounds {
		if disturb != nil {
			if err := disturb(home); err != nil {
				return q, err
			}
		}
		w, err := d.window(length)
		if err != nil {
			return q, err
		}
		f, err := statFloor(paths)
		if err != nil {
			return q, err
		}
		q.cpu = append(q.cpu, w.cpu*1e3)
		q.floor = append(q.floor, f*1e3)
		q.written = append(q.written, w.written)
		q.hwm = append(q.hwm, w.hwm/1024)
	}
	return q, nil
}
