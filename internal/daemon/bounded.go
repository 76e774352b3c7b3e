package daemon

import (
	"context"
	"fmt"
	"time"
)

// bounded calls f and waits no longer than d for it. A system call on a mount
// that hangs cannot be ended: its goroutine is left behind, and the answer is
// an error that says so.
func bounded(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("no answer within %s: %w", d, context.Cause(ctx))
	}
}
