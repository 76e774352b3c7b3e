package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man [DIR]",
		Short:   "Print the manual page, or write the pages of all commands into DIR",
		Example: "  mesh-controller man | man -l -\n  mesh-controller man /usr/local/share/man/man1",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			header := &doc.GenManHeader{Title: "MESH-CONTROLLER", Section: "1", Source: "mesh-controller " + a.build.Version}
			if built, err := time.Parse(time.RFC3339, a.build.Date); err == nil {
				header.Date = &built // the same build writes the same pages
			}
			if len(args) == 1 {
				return doc.GenManTree(cmd.Root(), header, args[0])
			}
			return doc.GenMan(cmd.Root(), header, a.stdout)
		},
	}
}
