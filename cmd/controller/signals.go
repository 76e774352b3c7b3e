package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errInterrupted is why a context ended after a signal.
var errInterrupted = errors.New("interrupted")

// interruptible ends the context at the first SIGINT or SIGTERM. A second one
// ends the process at once.
func interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
			cancel(errInterrupted)
		case <-done:
			return
		}
		select {
		case <-signals:
			os.Exit(exitInterrupted)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// leaveWithin is how long a daemon that was told to stop may take in all.
const leaveWithin = 4900 * time.Millisecond

// leaveInTime ends the process when a stop takes too long: what hangs then is a
// system call that nobody can end. Index and lock have been let go before.
func leaveInTime(ctx context.Context) func() {
	ended := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
		case <-ended:
			return
		}
		select {
		case <-time.After(leaveWithin):
			os.Exit(exitOK)
		case <-ended:
		}
	}()
	return func() { close(ended) }
}

// reloads are the signals of a running daemon: HUP and USR1. Bursts coalesce.
type reloads struct{ hup, usr1 chan os.Signal }

func watchReloads() *reloads {
	r := &reloads{make(chan os.Signal, 1), make(chan os.Signal, 1)}
	signal.Notify(r.hup, syscall.SIGHUP)
	signal.Notify(r.usr1, syscall.SIGUSR1)
	return r
}

func (r *reloads) stop() {
	signal.Stop(r.hup)
	signal.Stop(r.usr1)
}
