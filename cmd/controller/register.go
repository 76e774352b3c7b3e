package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

func (a *app) registerCommand() *cobra.Command {
	var req controller.RegisterRequest
	var namespace, description string
	c := &cobra.Command{
		Use:   "register PATH",
		Short: "Register the agent of a project directory",
		Long: `Write the manifest of a project directory and wait until index and relay say the
same. A manifest that is there is taken as it is, where no flag contradicts it.
Without one, --name and --runtime are needed. Nothing is touched by an order
that is refused, and a project directory is never made.`,
		Example: "  mesh-controller register ./project --name helper --runtime claude-code\n" +
			"  mesh-controller register ./cloned",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeDirectory,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if req.Path, err = projectPath(args[0]); err != nil {
				return err
			}
			if cmd.Flags().Changed("namespace") {
				req.Namespace = &namespace
			}
			if cmd.Flags().Changed("description") {
				req.Description = &description
			}
			if err := req.Validate(); err != nil {
				return err
			}
			return a.intent(cmd.Context(), "registering", func(ctx context.Context, o daemon.Orders) (controller.Outcome, error) {
				return o.Register(ctx, req)
			})
		},
	}
	c.Flags().StringVar(&req.Name, "name", "", "`name` of the agent")
	c.Flags().StringVar(&req.Runtime, "runtime", "", "`tool` that the agent runs in")
	c.Flags().StringVar(&namespace, "namespace", "", "`namespace` of the agent (default derived from where it lies)")
	c.Flags().StringVar(&description, "description", "", "`text` on what the agent is for")
	c.Flags().StringArrayVar(&req.Capabilities, "capability", nil, "a `word` on what others may ask the agent to do (repeatable)")
	c.Flags().BoolVar(&req.Force, "force", false, "rewrite what a manifest says otherwise, mend one that is not valid")
	completeFlag(c, "runtime", completeRuntime)
	completeFlag(c, "namespace", a.completeNamespace)
	return c
}
