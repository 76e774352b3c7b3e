package daemon

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// Orders is whoever carries out what an operator asks for: a daemon through its
// socket, or a loop in this process. A refused order is a *controller.Refusal
// from either, and has touched nothing.
type Orders interface {
	Sync(ctx context.Context, req controller.SyncRequest) (controller.SyncResult, error)
	Register(ctx context.Context, req controller.RegisterRequest) (controller.Outcome, error)
	Update(ctx context.Context, req controller.UpdateRequest) (controller.Outcome, error)
	Unregister(ctx context.Context, req controller.UnregisterRequest) (controller.Outcome, error)
	// Reissue gives the agent at a path a new id.
	Reissue(ctx context.Context, path string) (controller.Outcome, error)
	// Adopt makes a path the home of the id that it carries.
	Adopt(ctx context.Context, path string) (controller.Outcome, error)
	// Deny puts a path on the deny list and takes out who is registered at or
	// below it.
	Deny(ctx context.Context, path string) (controller.SyncResult, error)
	// Undeny is controller.ErrNotFound where the path was not on the list.
	Undeny(ctx context.Context, path string) (controller.SyncResult, error)
	// Pause stops converging, durably: of one agent by id or path, or with ""
	// of everything.
	Pause(ctx context.Context, target string) error
	Resume(ctx context.Context, target string) error
	// Release ends the mass-disappearance hold of a scan root, or with "" of
	// every one. It is controller.ErrNotFound where nothing is recorded of it.
	Release(ctx context.Context, root string) (controller.SyncResult, error)
	// Restore brings an agent back that left the index. It is
	// controller.ErrNotFound where no tombstone is kept.
	Restore(ctx context.Context, id agent.ID) (controller.Outcome, error)
}

var (
	_ Orders = (*Client)(nil)
	_ Orders = Loop(nil)
)

// PauseStatus is what `pause` and `resume` print.
type PauseStatus struct {
	// Target is the agent that was named, by its id or path; null is everything.
	Target *string `json:"target"`
	Paused bool    `json:"paused"`
}

// NewPauseStatus says it of a target as Orders takes it.
func NewPauseStatus(target string, paused bool) PauseStatus {
	if target == "" {
		return PauseStatus{Paused: paused}
	}
	return PauseStatus{&target, paused}
}

// startsWithin is how long a daemon that holds the lock may take to open its
// socket before it counts as out of reach.
const startsWithin = time.Second

// Order carries out one order: in the daemon of this index if one runs, else
// here, under the lock. Its error is *LockedError when somebody else holds that
// and cannot be asked.
func Order[T any](ctx context.Context, s *Settings, b Build, log *zap.Logger, do func(context.Context, Orders) (T, error)) (T, error) {
	patience := time.NewTimer(startsWithin)
	defer patience.Stop()
	for {
		result, err := orderOnce(ctx, s, b, log, do)
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

func orderOnce[T any](ctx context.Context, s *Settings, b Build, log *zap.Logger, do func(context.Context, Orders) (T, error)) (T, error) {
	if c := FindDaemon(ctx, s); c != nil {
		defer c.Close()
		return do(ctx, c)
	}
	return orderHere(ctx, s, b, log, do)
}

// orderHere is a daemon for the length of one order, without anything to talk to.
func orderHere[T any](ctx context.Context, s *Settings, b Build, log *zap.Logger, do func(context.Context, Orders) (T, error)) (result T, err error) {
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
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- p.loop.Run(loopCtx) }()
	result, err = do(ctx, p.loop)
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
