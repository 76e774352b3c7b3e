package daemon

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// startsWithin is how long a daemon that holds the lock may take to open its
// socket before it counts as out of reach.
const startsWithin = time.Second

// Sync runs one acknowledged resync: in the daemon of this index if one runs,
// else here, under the lock. Its error is *LockedError when somebody else holds
// that and cannot be asked.
func Sync(ctx context.Context, s *Settings, b Build, log *zap.Logger, req controller.SyncRequest) (controller.SyncResult, error) {
	patience := time.NewTimer(startsWithin)
	defer patience.Stop()
	for {
		result, err := syncOnce(ctx, s, b, log, req)
		if _, locked := errors.AsType[*LockedError](err); !locked {
			return result, err
		}
		select {
		case <-ctx.Done():
			return result, context.Cause(ctx)
		case <-patience.C:
			return result, err
		case <-time.After(startsWithin / 10):
		}
	}
}

func syncOnce(ctx context.Context, s *Settings, b Build, log *zap.Logger, req controller.SyncRequest) (controller.SyncResult, error) {
	if c := FindDaemon(ctx, s); c != nil {
		defer c.Close()
		return c.Sync(ctx, req)
	}
	return syncHere(ctx, s, b, log, req)
}

// syncHere is a daemon for the length of one sync, without anything to talk to.
func syncHere(ctx context.Context, s *Settings, b Build, log *zap.Logger, req controller.SyncRequest) (result controller.SyncResult, err error) {
	lock, err := lockIndex(s)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, letGo("lock", lock.Release)) }()
	p, err := open(ctx, s, oneShot, lock, b, log)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, letGo("index", p.close)) }()

	loopCtx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- p.loop.Run(loopCtx) }()
	defer stop()
	result, err = p.loop.Sync(ctx, req)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	stop()
	hung := bounded(context.WithoutCancel(ctx), keysWithin, func(context.Context) error { return stopped(<-ended) })
	return result, errors.Join(databaseError(err), hung)
}

// stopped is the error of a loop that was told to stop: that it was is none.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
