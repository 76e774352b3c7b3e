package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

func (a *app) tombstonesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "tombstones",
		Short: "List the agents that left the index, or bring one back",
		Long: `List what left the index within 30 days, the oldest first, and whether mail is
kept. It changes nothing; restore brings one back.`,
		Example: "  mesh-controller tombstones\n  mesh-controller tombstones restore 01JDEMO0000000000000000004",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return group(cmd, args)
			}
			return a.ask(cmd, a.listTombstones)
		},
	}
	c.AddCommand(a.restoreCommand())
	return c
}

func (a *app) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "restore ID",
		Short: "Bring an agent back that left the index",
		Long: `Write the manifest of an agent that left the index from what was kept of it, at
the place where it was, and wait until index and relay say the same. History and
mail come back with it. A manifest of the agent's own that lies there is taken
as it is; another's is left alone, and a project directory is never made.`,
		Example:           "  mesh-controller tombstones\n  mesh-controller tombstones restore 01JDEMO0000000000000000004",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeTombstone,
		RunE: func(cmd *cobra.Command, args []string) error {
			id := agent.ID(args[0])
			if !id.Valid() {
				return usagef("`mesh-controller tombstones` lists the ids", "%q is not an agent's id", args[0])
			}
			err := a.intent(cmd.Context(), "restoring", func(ctx context.Context, o daemon.Orders) (controller.Outcome, error) {
				return o.Restore(ctx, id)
			})
			return notFound(err, "`mesh-controller tombstones` lists who can be brought back")
		},
	}
}

func (a *app) listTombstones(ctx context.Context, s *daemon.Session) error {
	result, err := s.Tombstones(ctx)
	if err != nil {
		return err
	}
	return a.print(result, func(w io.Writer) {
		if len(result.Tombstones) == 0 {
			fmt.Fprintln(w, "nobody left the index within 30 days")
			return
		}
		t := a.table("ID", "NAME", "REASON", "SINCE", "MAIL", "PATH")
		for _, s := range result.Tombstones {
			mail := "no"
			if s.Mail {
				mail = "yes"
			}
			t.row(string(s.ID), s.Name, string(s.Reason), a.age(s.At), mail, s.ProjectPath)
		}
		t.write(w)
	})
}
