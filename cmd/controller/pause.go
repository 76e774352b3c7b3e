package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
)

func (a *app) pauseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pause [ID|PATH]",
		Short: "Stop converging, of one agent or of everything",
		Long: `Stop writing to index and relay, of one agent or (without one named) of
everything. Observing goes on, and plan and agents say what waits. It lasts
until resume, restarts included.`,
		Example:           "  mesh-controller pause ./project\n  mesh-controller pause",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeAgent,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.pausing(cmd.Context(), args, true, daemon.Orders.Pause)
		},
	}
}

func (a *app) resumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "resume [ID|PATH]",
		Short:             "Converge again after pause",
		Long:              "End a pause: that of one agent, or (without one named) that of everything.",
		Example:           "  mesh-controller resume ./project\n  mesh-controller resume",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeAgent,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.pausing(cmd.Context(), args, false, daemon.Orders.Resume)
		},
	}
}

func (a *app) pausing(ctx context.Context, args []string, paused bool, do func(daemon.Orders, context.Context, string) error) error {
	wanted := ""
	if len(args) == 1 {
		var err error
		if wanted, err = target(args[0]); err != nil {
			return err
		}
	}
	doing := map[bool]string{true: "pausing", false: "resuming"}[paused]
	status, err := order(ctx, a, doing, func(ctx context.Context, o daemon.Orders) (daemon.PauseStatus, error) {
		return daemon.NewPauseStatus(wanted, paused), do(o, ctx, wanted)
	})
	if err != nil {
		return err
	}
	return a.print(status, func(w io.Writer) { writePause(w, wanted, paused) })
}

func writePause(w io.Writer, wanted string, paused bool) {
	what, again := "everything", "mesh-controller resume"
	if wanted != "" {
		what, again = printable(wanted), "mesh-controller resume "+printable(wanted)
	}
	if !paused {
		fmt.Fprintf(w, "resumed: %s\nnext: what waited follows, where no daemon runs with the next `mesh-controller sync`\n", what)
		return
	}
	fmt.Fprintf(w, "paused: %s\nnext: `%s` ends it; observing goes on\n", what, again)
}
