package main

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A quiet sweep when the kernel has forgotten all inodes, against stats from 64
// goroutines, which is about as fast as a disk answers.
func measureInodeCold(ctx context.Context, b *bench, f fleet) (_ []figures, err error) {
	if os.Geteuid() != 0 {
		return nil, skip("only root may empty the kernel's caches")
	}
	paths, err := manifests(f)
	if err != nil {
		return nil, err
	}
	d, err := b.settled(ctx, f, "--scan-depth", "2", "--resync-interval", "0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	g := figures{line: "inode-cold"}
	for range b.rounds {
		if err := dropCaches(); err != nil {
			return nil, err
		}
		other, err := statAtOnce(paths)
		if err != nil {
			return nil, err
		}
		if err := dropCaches(); err != nil {
			return nil, err
		}
		s, err := d.measureSweep(ctx)
		if err != nil {
			return nil, err
		}
		g.ours, g.other = append(g.ours, s.wall), append(g.other, other.wall)
	}
	return []figures{g}, nil
}

// dropCaches makes the kernel forget pages, names and inodes that are clean.
func dropCaches() error {
	unix.Sync()
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
}
