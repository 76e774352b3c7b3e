package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
)

func (a *app) runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Keep index and relay in line until SIGTERM",
		Long: `Run the sidecar: a sweep at startup, then one every resync interval and on
demand, until SIGTERM or SIGINT. SIGHUP reloads the configuration file and
forces a full resync, SIGUSR1 only forces one.`,
		Example: "  mesh-controller run --scan-root ~/projects",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.run(cmd.Context()) },
	}
}

func (a *app) run(ctx context.Context) error {
	ended := leaveInTime(ctx)
	defer ended()
	reloads := watchReloads()
	defer reloads.stop()
	s, err := a.load() // warnings go to the log
	if err != nil {
		return err
	}
	log := daemon.NewLog(a.stderr, s.LogLevel, s.LogFormat)
	log.RouteKlog()
	d, err := daemon.Start(ctx, s, a.build, log)
	if errors.Is(context.Cause(ctx), errInterrupted) && err != nil {
		return nil // stopped before it was up
	}
	if err != nil {
		return err
	}
	handled := make(chan struct{})
	ctx, stop := context.WithCancel(ctx)
	go func() {
		defer close(handled)
		a.obey(ctx, reloads, d, log)
	}()
	err = d.Run(ctx)
	stop()
	<-handled
	return err
}

// obey does what signals ask for until ctx ends.
func (a *app) obey(ctx context.Context, r *reloads, d *daemon.Daemon, log *daemon.Log) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hup:
			a.reload(d, log)
			d.Resync()
		case <-r.usr1:
			d.Resync()
		}
	}
}

// reload reads the settings anew. Bad ones change nothing.
func (a *app) reload(d *daemon.Daemon, log *daemon.Log) {
	s, err := a.load()
	var restart []string
	if err == nil {
		restart, err = d.Reload(s)
	}
	if err != nil {
		log.Error("configuration not reloaded, the old one stays", zap.Error(err))
		return
	}
	if len(restart) > 0 {
		log.Warn("changed settings that take a restart", zap.Strings("settings", restart))
	}
}
