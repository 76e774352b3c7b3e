package main

import (
	"context"
	"errors"
	"time"
)

// idleFor is how long the daemon is watched in all rounds together.
const idleFor = 20 * time.Second

// A settled daemon between two sweeps of the interval: its share of a core, and
// how often it wakes up.
func measureIdle(ctx context.Context, b *bench, f fleet) (_ []figures, err error) {
	d, err := b.settled(ctx, f, "--resync-interval", "5m")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	share, wakeups := figures{line: "idle"}, figures{line: "idle-wakeups"}
	length := idleFor / time.Duration(b.rounds)
	for range b.rounds {
		w, err := d.window(ctx, length)
		if err != nil {
			return nil, err
		}
		if w.sweeps != 0 {
			return nil, errors.New("a sweep fell into the quiet window")
		}
		share.ours = append(share.ours, w.cpu/length.Seconds()*100)
		wakeups.ours = append(wakeups.ours, w.switches/length.Seconds())
	}
	return []figures{share, wakeups}, nil
}
