package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

func (a *app) denyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "deny PATH",
		Short: "Keep a path out of the index, whatever its manifests say",
		Long: `Put PATH on the deny list and take out who is registered at or below it. No file
of a project is touched, and PATH need not be there.`,
		Example:           "  mesh-controller deny ~/projects/untrusted\n  mesh-controller agents --denied",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeDirectory,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := projectPath(args[0])
			if err != nil {
				return err
			}
			return a.barrier(cmd.Context(), "denying", func(w io.Writer, c *controller.Counts) {
				fmt.Fprintf(w, "denied: %s; %s taken out\n", printable(path), count(c.Removed, "agent"))
			}, func(ctx context.Context, o daemon.Orders) (controller.SyncResult, error) { return o.Deny(ctx, path) })
		},
	}
}

func (a *app) undenyCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "undeny PATH",
		Short:             "Take a path off the deny list",
		Long:              "Take PATH off the deny list and register what lies at and below it.",
		Example:           "  mesh-controller undeny ~/projects/trusted",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeDirectory,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := projectPath(args[0])
			if err != nil {
				return err
			}
			return a.barrier(cmd.Context(), "undenying", func(w io.Writer, c *controller.Counts) {
				fmt.Fprintf(w, "no longer denied: %s; %s came in\n", printable(path), count(c.Discovered+c.Resurrected, "agent"))
			}, func(ctx context.Context, o daemon.Orders) (controller.SyncResult, error) { return o.Undeny(ctx, path) })
		},
	}
}

// barrier carries out an order that lets agents in or out; say tells people
// what it did.
func (a *app) barrier(
	ctx context.Context, doing string, say func(io.Writer, *controller.Counts),
	do func(context.Context, daemon.Orders) (controller.SyncResult, error),
) error {
	result, err := order(ctx, a, doing, do)
	if err != nil {
		return err
	}
	err = a.print(result, func(w io.Writer) {
		say(w, &result.Counts)
		a.writeFailures(w, result.Failures)
	})
	if err != nil {
		return err
	}
	return partial(&result)
}

func (a *app) listDenials(ctx context.Context, s *daemon.Session) error {
	result, err := s.Denials(ctx)
	if err != nil {
		return err
	}
	return a.print(result, func(w io.Writer) {
		if len(result.Denials) == 0 {
			fmt.Fprintln(w, "nothing is denied")
			return
		}
		t := a.table("PATH", "SINCE", "REASON")
		for _, d := range result.Denials {
			t.row(d.Path, a.age(d.Since), d.Reason)
		}
		t.write(w)
	})
}
