package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

func (a *app) unregisterCommand() *cobra.Command {
	var req controller.UnregisterRequest
	c := &cobra.Command{
		Use:   "unregister ID|PATH",
		Short: "End an agent: its manifest, address, row and rules",
		Long: `Remove an agent's manifest, and nothing else of its project, then its address,
row and rules. Its record and mail are kept for 30 days. Where a copy carries
the same id, it would come back from there: that is refused and the copy named,
unless --all-copies removes the copies' manifests too.`,
		Example:           "  mesh-controller unregister ./project",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeAgent,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if req.Target, err = target(args[0]); err != nil {
				return err
			}
			return a.intent(cmd.Context(), "unregistering", func(ctx context.Context, o daemon.Orders) (controller.Outcome, error) {
				return o.Unregister(ctx, req)
			})
		},
	}
	c.Flags().BoolVar(&req.AllCopies, "all-copies", false, "remove the manifests of copies that carry the id too")
	return c
}
