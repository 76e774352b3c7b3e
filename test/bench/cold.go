package main

import (
	"context"
	"os"
)

// The first sync of an empty home: every row, mailbox and rule.
func measureCold(ctx context.Context, b *bench, f fleet) ([]figures, error) {
	var walls, cpus, rss []float64
	for range b.rounds {
		u, err := b.coldSync(ctx, f)
		if err != nil {
			return nil, err
		}
		walls, cpus, rss = append(walls, u.wall), append(cpus, u.cpu), append(rss, u.rss)
	}
	return []figures{{line: "cold", ours: walls}, {line: "cold-cpu", ours: cpus}, {line: "cold-memory", ours: rss}}, nil
}

func (b *bench) coldSync(ctx context.Context, f fleet, more ...string) (u usage, err error) {
	h, err := b.emptyHome(ctx)
	if err != nil {
		return u, err
	}
	return b.sync(ctx, h, f, more...)
}

// A cold sync against one of the next smaller fleet, by turns: what that took,
// times as many agents.
func measureGrowth(ctx context.Context, b *bench, f fleet) ([]figures, error) {
	smaller := fleet{}
	for _, g := range b.fleets {
		if g.n < f.n && g.n > smaller.n {
			smaller = g
		}
	}
	if smaller.n == 0 {
		return nil, skip("no smaller size to compare with")
	}
	r := figures{line: "cold-growth"}
	for range b.rounds {
		ours, err := b.coldSync(ctx, f)
		if err != nil {
			return nil, err
		}
		other, err := b.coldSync(ctx, smaller)
		if err != nil {
			return nil, err
		}
		r.ours = append(r.ours, ours.wall)
		r.other = append(r.other, other.wall*float64(f.n)/float64(smaller.n))
	}
	return []figures{r}, nil
}

// The size of the program's file.
func measureBinary(_ context.Context, b *bench, _ fleet) ([]figures, error) {
	info, err := os.Stat(b.binary)
	if err != nil {
		return nil, err
	}
	return []figures{{line: "size", ours: []float64{float64(info.Size()) / 1e6}}}, nil
}
