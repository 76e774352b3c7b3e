package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Another writer beside a cold rebuild: how long its small transactions take,
// and whether it is ever told that the index is busy.
func measureManners(ctx context.Context, b *bench, f fleet) ([]figures, error) {
	took, busy := figures{line: "manners"}, figures{line: "manners-busy"}
	for range b.rounds {
		w, err := b.writeBeside(ctx, f)
		if err != nil {
			return nil, err
		}
		took.ours = append(took.ours, p99(w.took)*1e3)
		busy.ours = append(busy.ours, float64(w.busy))
	}
	return []figures{took, busy}, nil
}

// writer of another program, and the seconds that its transactions took.
type writer struct {
	took []float64
	busy int
}

func (b *bench) writeBeside(ctx context.Context, f fleet) (w writer, err error) {
	h, err := b.emptyHome(ctx)
	if err != nil {
		return w, err
	}
	if _, err := b.sync(ctx, h, fleet{root: h.dork()}); err != nil { // the schema
		return w, err
	}
	if err := foreignCommit(h.index()); err != nil {
		return w, err
	}
	x, err := openIndex(h.index())
	if err != nil {
		return w, err
	}
	writing, stop := context.WithCancel(ctx)
	wrote := make(chan error, 1)
	go func() { wrote <- w.write(writing, x) }()
	_, err = b.sync(ctx, h, f)
	stop()
	return w, errors.Join(err, <-wrote, x.close())
}

// write one row in a transaction, again and again, a millisecond apart.
func (w *writer) write(ctx context.Context, x *index) error {
	for ctx.Err() == nil {
		began := time.Now()
		err := x.exec("BEGIN IMMEDIATE; INSERT INTO bench VALUES(1); COMMIT")
		switch {
		case errors.Is(err, sqlite3.BUSY):
			w.busy++
		case err != nil:
			return err
		default:
			w.took = append(w.took, time.Since(began).Seconds())
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// p99 of at least one value: the least that 99 % of them do not exceed.
func p99(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return s[int(math.Ceil(0.99*float64(len(s))))-1]
}
