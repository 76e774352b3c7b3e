package main

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// A sweep that looks at every directory to depth 3 against listing them all.
func measureDepth3(ctx context.Context, b *bench, f fleet) (_ []figures, err error) {
	d, err := b.settled(ctx, f, "--scan-depth", "3", "--resync-interval", "0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	g := figures{line: "depth3"}
	buf := make([]byte, 32<<10)
	for range b.rounds {
		s, err := d.measureSweep(ctx)
		if err != nil {
			return nil, err
		}
		other, err := perPass(1, func() error { return listAll(unix.AT_FDCWD, f.root, 3, buf) })
		if err != nil {
			return nil, err
		}
		g.ours, g.other = append(g.ours, s.cpu*1e3), append(g.other, other.cpu*1e3)
	}
	return []figures{g}, nil
}
