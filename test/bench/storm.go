package main

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// Every row is wrong and the index is locked for two seconds, against the same
// without the lock, each from the moment at which it could be written.
func measureStorm(ctx context.Context, b *bench, f fleet) ([]figures, error) {
	g := figures{line: "storm"}
	for range b.rounds {
		clean, locked, err := b.storm(ctx, f)
		if err != nil {
			return nil, err
		}
		g.ours, g.other = append(g.ours, locked), append(g.other, clean)
	}
	return []figures{g}, nil
}

// storm needs a daemon of its own: what is put back a third time is left to the
// other writer.
func (b *bench) storm(ctx context.Context, f fleet) (clean, locked float64, err error) {
	d, err := b.settled(ctx, f, "--scan-depth", "2", "--resync-interval", "0")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	x, err := openIndex(d.index())
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	if clean, err = d.repair(ctx, x, 0); err != nil {
		return 0, 0, err
	}
	if err := d.settle(ctx); err != nil {
		return 0, 0, err
	}
	locked, err = d.repair(ctx, x, 2*time.Second)
	return clean, locked, err
}

// repair spoils all rows, asks for a sweep and waits until they are right again.
// Before, the index is locked for so long; the time counts from then on.
func (d *daemon) repair(ctx context.Context, x *index, lock time.Duration) (float64, error) {
	if err := x.exec("UPDATE agents SET name = 'spoilt'"); err != nil {
		return 0, err
	}
	if lock > 0 {
		if err := x.exec("BEGIN IMMEDIATE"); err != nil {
			return 0, err
		}
	}
	if err := d.signal(syscall.SIGUSR1); err != nil {
		return 0, err
	}
	if lock > 0 {
		if err := errors.Join(pause(ctx, lock), x.exec("ROLLBACK")); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	defer stop()
	err := x.until(ctx, 10*time.Millisecond, 0, "SELECT count(*) FROM agents WHERE name = 'spoilt'")
	return time.Since(began).Seconds(), err
}
