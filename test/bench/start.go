package main

import (
	"context"
)

// From the start of the process to the end of its first sweep: of an empty home,
// and of one that knows all its agents.
func measureStart(ctx context.Context, b *bench, f fleet) (_ []figures, err error) {
	nothing, err := b.newHome()
	if err != nil {
		return nil, err
	}
	empty, err := b.starts(ctx, fleet{root: nothing.dork()})
	if err != nil {
		return nil, err
	}
	known, err := b.starts(ctx, f)
	return []figures{{line: "start-empty", ours: scaled(empty, 1e3)}, {line: "start", ours: scaled(known, 1e3)}}, err
}

// The same of many agents, to the depth that is set by default and to that of the
// tree.
func measureStartWarm(ctx context.Context, b *bench, f fleet) ([]figures, error) {
	warm, err := b.starts(ctx, f)
	if err != nil {
		return nil, err
	}
	own, err := b.starts(ctx, f, "--scan-depth", "2")
	return []figures{{line: "start-warm", ours: warm}, {line: "start-warm-depth2", ours: own}}, err
}

// starts of a synced home, seconds each.
func (b *bench) starts(ctx context.Context, f fleet, more ...string) (took []float64, err error) {
	h, err := b.newHome()
	if err != nil {
		return nil, err
	}
	if _, err := b.sync(ctx, h, f, more...); err != nil {
		return nil, err
	}
	for range b.rounds {
		d, err := startDaemon(ctx, b, h, f, more...)
		if err != nil {
			return nil, err
		}
		if err := d.stop(); err != nil {
			return nil, err
		}
		took = append(took, d.ready.Seconds())
	}
	return took, nil
}

func scaled(values []float64, by float64) []float64 {
	s := make([]float64, len(values))
	for i, v := range values {
		s[i] = v * by
	}
	return s
}
