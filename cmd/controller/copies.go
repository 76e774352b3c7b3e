package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// The two ways out of a copy: an id of its own, or the other's home.

func (a *app) reissueCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reissue PATH",
		Short: "Give the agent at a path an id of its own",
		Long: `Write a new id into the manifest at PATH and register it, where the id that it
carries belongs to an agent elsewhere. That one is not touched.`,
		Example:           "  mesh-controller reissue ./copy",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeDirectory,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := projectPath(args[0])
			if err != nil {
				return err
			}
			return a.intent(cmd.Context(), "reissuing", func(ctx context.Context, o daemon.Orders) (controller.Outcome, error) {
				return o.Reissue(ctx, path)
			})
		},
	}
}

func (a *app) adoptCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "adopt PATH",
		Short: "Make a path the home of the agent whose id it carries",
		Long: `Move the agent whose id the manifest at PATH carries to PATH, with its history
and mail. What lies at its old home is a copy from then on.`,
		Example:           "  mesh-controller adopt ./moved",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeDirectory,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := projectPath(args[0])
			if err != nil {
				return err
			}
			return a.intent(cmd.Context(), "adopting", func(ctx context.Context, o daemon.Orders) (controller.Outcome, error) {
				return o.Adopt(ctx, path)
			})
		},
	}
}
