package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What a quiet sweep allocates, for each agent. The heap's profile is the only
// place where the program says how often it did; looking at it allocates too,
// which is measured first.
func measureAllocs(ctx context.Context, b *bench, f fleet) (_ []figures, err error) {
	d, err := b.settled(ctx, f, "--scan-depth", "2", "--resync-interval", f.interval().String(), "--enable-pprof")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	g := figures{line: "allocs"}
	for range b.rounds {
		perSweep, err := d.mallocsOf(ctx, f)
		if err != nil {
			return nil, err
		}
		g.ours = append(g.ours, perSweep/float64(f.n))
	}
	return []figures{g}, nil
}

// mallocsOf a sweep in a turn of them.
func (d *daemon) mallocsOf(ctx context.Context, f fleet) (float64, error) {
	if err := d.awaitSweep(ctx); err != nil {
		return 0, err
	}
	_, first, err := d.look()
	if err != nil {
		return 0, err
	}
	before, second, err := d.look()
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, perTurn*f.interval()); err != nil {
		return 0, err
	}
	if _, err := d.idle(); err != nil {
		return 0, err
	}
	after, third, err := d.look()
	if err == nil && after.sweeps == before.sweeps {
		err = errors.New("no sweep ended in the window")
	}
	return (third - second - (second - first)) / (after.sweeps - before.sweeps), err
}

// look at the counters, and at all allocations so far.
func (d *daemon) look() (c counters, mallocs float64, err error) {
	if c, err = d.scrape(); err != nil {
		return c, 0, err
	}
	text, err := d.get("/debug/pprof/heap?debug=1")
	if err != nil {
		return c, 0, err
	}
	for l := range strings.Lines(text) {
		if n, ok := strings.CutPrefix(l, "# Mallocs = "); ok {
			mallocs, err = strconv.ParseFloat(strings.TrimSpace(n), 64)
			return c, mallocs, err
		}
	}
	return c, 0, fmt.Errorf("the profile of the heap has no count of allocations")
}
