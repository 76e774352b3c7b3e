package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
)

const longHelp = `mesh-controller keeps an index of coding agents and their message relay in line
with the manifests (<project>/.dork/agent.json) on disk.

Every setting below can be given as a flag to any command, as an environment
variable (MESH_CONTROLLER_ and the flag in capitals), or in the configuration
file; the flag wins over the variable, the variable over the file.`

// root is the whole command line.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "mesh-controller",
		Short: "Keep an agent registry honest",
		Long:  longHelp,
		Args:  cobra.ArbitraryArgs,
		RunE:  group,

		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRun:  func(*cobra.Command, []string) { a.started = true },
		DisableAutoGenTag: true,
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetUsageFunc(usage)
	a.output = formatTable
	root.PersistentFlags().VarP(&a.output, "output", "o", "table, wide, json or yaml")
	a.flags.register(root.PersistentFlags())
	a.completeFlags(root)
	root.AddCommand(
		a.runCommand(), a.syncCommand(), a.planCommand(), a.agentsCommand(), a.explainCommand(), a.eventsCommand(),
		a.registerCommand(), a.updateCommand(), a.unregisterCommand(), a.reissueCommand(), a.adoptCommand(),
		a.denyCommand(), a.undenyCommand(), a.pauseCommand(), a.resumeCommand(),
		a.releaseCommand(), a.tombstonesCommand(),
		a.doctorCommand(), a.configCommand(), a.versionCommand(), a.manCommand(),
	)
	root.InitDefaultCompletionCmd(a.args...)
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args, c.RunE = cobra.ArbitraryArgs, group
		}
	}
	return root
}

// group is a command that only has commands: it shows them, and refuses any
// other word.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usagef("did you mean "+daemon.Nearest(args[0], names)+"? "+hint, "unknown command %q for %q", args[0], cmd.CommandPath())
}

func (a *app) completeFlags(root *cobra.Command) {
	fixed := func(name string, words []string) {
		completeFlag(root, name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
	fixed("output", formats())
	for _, s := range daemon.Table() {
		if len(s.Choices) > 0 {
			fixed(s.Name, s.Choices)
		}
	}
}
