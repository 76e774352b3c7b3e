package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

func (a *app) releaseCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "release ROOT|--all",
		Short: "Let go who is held because much of a scan root vanished at once",
		Long: `End the hold on removals below a scan root from which much vanished at once: the
loss is real. Whoever is known to be missing there leaves when the grace is
over, at once where it is; whoever returns before that stays. It outlives a
restart. Whoever goes missing later is not covered: that may be another accident.`,
		Example:           "  mesh-controller agents --status unreachable\n  mesh-controller release ~/projects",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeRoot,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return usagef("name a scan root, or every one with --all: `mesh-controller agents -o wide` lists them", "exactly one of ROOT and --all is needed")
			}
			root := ""
			if !all {
				var err error
				if root, err = projectPath(args[0]); err != nil {
					return err
				}
			}
			return a.release(cmd.Context(), root)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "every scan root")
	return c
}

func (a *app) release(ctx context.Context, root string) error {
	err := a.barrier(ctx, "releasing", func(w io.Writer, c *controller.Counts) {
		what := "every scan root"
		if root != "" {
			what = printable(root)
		}
		fmt.Fprintf(w, "released: %s; %s taken out\n", what, count(c.Removed, "agent"))
		a.writeMissing(ctx, w, root)
	}, func(ctx context.Context, o daemon.Orders) (controller.SyncResult, error) { return o.Release(ctx, root) })
	return notFound(err, "`mesh-controller agents -o wide` lists the scan roots")
}

// writeMissing says who is still missing below a scan root ("" for every one)
// and when each is due. The order is carried out by now: where it cannot be
// told, people are told how to ask.
func (a *app) writeMissing(ctx context.Context, w io.Writer, root string) {
	agents, err := a.agentsNow(ctx)
	if err != nil {
		fmt.Fprintln(w, "next: `mesh-controller agents --status unreachable -o wide` says who is due when")
		return
	}
	t := a.table("ID", "NAME", "REMOVAL", "HELD BY", "PATH")
	for _, s := range agents {
		if s.MissingSince.String() == "" || s.ScanRoot == nil || root != "" && *s.ScanRoot != root {
			continue
		}
		hold := ""
		if s.Hold != nil {
			hold = string(s.Hold.Reason)
		}
		t.row(string(s.ID), s.Name, a.until(s.RemoveAt), hold, s.ProjectPath)
	}
	if len(t.rows) == 1 {
		fmt.Fprintln(w, "nobody else is missing there")
		return
	}
	fmt.Fprintln(w, "still missing there, and when they are due:")
	fmt.Fprintln(w)
	t.write(w)
}

func (a *app) agentsNow(ctx context.Context) ([]controller.AgentStatus, error) {
	session, err := a.session(ctx)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	result, err := session.Agents(ctx)
	return result.Agents, err
}
