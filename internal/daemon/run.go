package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/prometheus/exporter-toolkit/web"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
)

// How a stop spends the 5 s that it may take: keys in hand first, then answers
// in flight, then letting go of index and lock (twice letGoWithin).
const (
	keysWithin    = 2800 * time.Millisecond
	answersWithin = 500 * time.Millisecond
)

// Run serves until ctx ends or something without which it makes no sense fails,
// and then lets go of everything. A stop that was asked for is not an error,
// even where something hung and was left behind.
func (d *Daemon) Run(ctx context.Context) error {
	d.announce()
	servers := d.servers()
	failed := make(chan error, len(servers)+2)
	loopCtx, stopLoop := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLoop()

	var serving, looping sync.WaitGroup
	looping.Go(func() {
		if err := d.parts.loop.Run(loopCtx); err != nil && loopCtx.Err() == nil {
			failed <- err
		} else if loopCtx.Err() == nil {
			failed <- errors.New("the worker loop ended by itself")
		}
	})
	for _, s := range servers {
		serving.Go(func() {
			if err := s.serve(); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	tendCtx, stopTending := context.WithCancel(context.WithoutCancel(ctx))
	serving.Go(func() { d.keepNotifying(tendCtx) })
	serving.Go(func() {
		if err := d.keepChecking(tendCtx); err != nil {
			failed <- err
		}
	})

	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
	}
	d.log.Info("stopping", event(eventStopping))
	d.notifySystemd(systemd.SdNotifyStopping)
	stopTending()
	stopLoop()
	hung := d.stop(&looping, &serving, servers)
	if err := d.Close(); err != nil {
		hung = append(hung, err)
	}
	d.report(hung)
	return cause
}

// stop waits for the loop and for answers in flight, as long as it may.
func (d *Daemon) stop(looping, serving *sync.WaitGroup, servers []*server) (hung []error) {
	err := waitFor(looping, keysWithin)
	if err != nil {
		hung = append(hung, fmt.Errorf("keys in hand: %w", err))
	}
	ctx, cancel := context.WithTimeout(context.Background(), answersWithin)
	defer cancel()
	for _, s := range servers {
		if s.http.Shutdown(ctx) != nil {
			_ = s.http.Close() // a client that holds on is cut off
		}
	}
	if err := waitFor(serving, answersWithin); err != nil {
		hung = append(hung, fmt.Errorf("servers: %w", err))
	}
	return hung
}

// checkEvery is how often the whole index is looked at for damage. It was
// looked at when it was opened; each look reads all of it.
const checkEvery = 24 * time.Hour

// keepChecking returns an error when the index is damaged: nothing more may be
// written to it, so the daemon ends.
func (d *Daemon) keepChecking(ctx context.Context) error {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := d.parts.check(ctx)
		if _, damaged := errors.AsType[*DatabaseError](err); damaged {
			return err
		}
		if err != nil && ctx.Err() == nil {
			d.log.Warn("the index could not be checked", zap.Error(err))
		}
	}
}

func waitFor(wg *sync.WaitGroup, d time.Duration) error {
	return bounded(context.Background(), d, func(context.Context) error { wg.Wait(); return nil })
}

func (d *Daemon) report(hung []error) {
	for _, err := range hung {
		d.log.Warn("left behind while stopping", event(eventStopping), zap.Error(err))
	}
	d.log.Info("stopped", event(eventStopped), zap.Duration("duration_ms", d.now().Sub(d.started)))
}

func (d *Daemon) announce() {
	c := d.current()
	fields := []zap.Field{
		event(eventStarting), zap.String("version", d.build.Version), zap.String("db", c.DB),
		zap.Strings("scan_roots", c.ScanRoots), zap.String("relay", c.Relay), zap.String("socket", d.socketPath()),
	}
	if d.tcp != nil {
		fields = append(fields, zap.String("listen_address", d.tcp.Addr().String()))
	}
	d.log.Info("starting", fields...)
	for _, w := range c.Warnings {
		d.log.Warn("unusual setting", zap.String("warning", w))
	}
}

// server is one listener with what it serves.
type server struct {
	http  *http.Server
	serve func() error
}

func (d *Daemon) servers() []*server {
	var out []*server
	if d.socket != nil {
		s := d.httpServer(d.socketHandler())
		out = append(out, &server{s, func() error { return s.Serve(d.socket) }})
	}
	if d.tcp != nil {
		s := d.httpServer(d.listenerHandler(listensOnLoopback(d.tcp.Addr())))
		file := d.config().WebConfigFile
		logger := slog.New(zapslog.NewHandler(quiet(d.log.Core())))
		out = append(out, &server{s, func() error {
			return web.Serve(d.tcp, s, &web.FlagConfig{WebConfigFile: &file}, logger)
		}})
	}
	return out
}

func (d *Daemon) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerWithin, IdleTimeout: idleWithin,
		ErrorLog: zap.NewStdLog(d.log.Logger),
	}
}
