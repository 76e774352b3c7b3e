package main

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// How long a cold rebuild holds the index's write lock.
func measureHold(ctx context.Context, b *bench, f fleet) ([]figures, error) {
	g := figures{line: "manners-hold"}
	for range b.rounds {
		holds, err := b.watchHolds(ctx, f)
		if err != nil {
			return nil, err
		}
		g.ours = append(g.ours, p99(holds)*1e3)
	}
	return []figures{g}, nil
}

func (b *bench) watchHolds(ctx context.Context, f fleet) (holds []float64, err error) {
	h, err := b.emptyHome(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := b.sync(ctx, h, fleet{root: h.dork()}); err != nil { // the schema
		return nil, err
	}
	// The -shm is there as long as somebody has the index open.
	x, err := openIndex(h.index())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	if _, err := x.texts("SELECT id FROM agents"); err != nil {
		return nil, err
	}
	shm, err := os.Open(h.index() + "-shm")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, shm.Close()) }()
	watching, stop := context.WithCancel(ctx)
	var l lockWatch
	watched := make(chan error, 1)
	go func() { watched <- l.watch(watching, shm) }()
	_, err = b.sync(ctx, h, f)
	stop()
	if err = errors.Join(err, <-watched); err == nil && len(l.holds) == 0 {
		err = errors.New("nobody held the index's write lock")
	}
	return l.holds, err
}

// lockWatch asks again and again who holds the write lock, the 120th byte of the
// -shm, and takes no lock itself. What is let go and taken again in between counts
// as one hold, so that a figure is rather too long than too short.
type lockWatch struct {
	holds []float64 // seconds
	since time.Time
}

// lockPause is how long it waits to ask again, which is how exact it is.
const lockPause = 100 * time.Microsecond

func (l *lockWatch) watch(ctx context.Context, shm *os.File) error {
	for ctx.Err() == nil {
		lock := unix.Flock_t{Type: unix.F_WRLCK, Start: 120, Len: 1}
		if err := unix.FcntlFlock(shm.Fd(), unix.F_OFD_GETLK, &lock); err != nil {
			return err
		}
		l.saw(lock.Type == unix.F_WRLCK, time.Now())
		time.Sleep(lockPause)
	}
	return nil
}

func (l *lockWatch) saw(held bool, at time.Time) {
	switch {
	case held && l.since.IsZero():
		l.since = at
	case !held && !l.since.IsZero():
		l.holds, l.since = append(l.holds, at.Sub(l.since).Seconds()), time.Time{}
	}
}
