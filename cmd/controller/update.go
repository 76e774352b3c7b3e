package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

func (a *app) updateCommand() *cobra.Command {
	var set []string
	c := &cobra.Command{
		Use:   "update ID|PATH --set FIELD=VALUE...",
		Short: "Change fields of an agent's manifest",
		Long: `Write fields of a registered agent's manifest and wait until index and relay say
the same. Text is written as it is, a list as words with commas between them,
anything else as JSON; a path like behavior.responseMode names a field of a
field. Nothing behind the equals sign takes an optional field out. What an editor
saves meanwhile is kept.`,
		Example: "  mesh-controller update ./project --set name=helper --set capabilities=review,test\n" +
			"  mesh-controller update 01JDEMO0000000000000000001 --set description=",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeAgent,
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := target(args[0])
			if err != nil {
				return err
			}
			if len(set) == 0 {
				return usagef("write --set FIELD=VALUE, as in --set name=helper", "nothing is to be set")
			}
			req := controller.UpdateRequest{Target: wanted, Set: set}
			if err := req.Validate(); err != nil {
				return err
			}
			return a.intent(cmd.Context(), "updating", func(ctx context.Context, o daemon.Orders) (controller.Outcome, error) {
				return o.Update(ctx, req)
			})
		},
	}
	c.Flags().StringArrayVar(&set, "set", nil, "`field=value` to write (repeatable, in this order)")
	completeFlag(c, "set", completeField)
	return c
}
