package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man [DIR]",
		Short:   "Print the manual page, or write the pages of all commands into DIR",
		Example: "  mesh-controller man | man -l -\n  mesh-controller man /usr/local/share/man/man1",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			date := a.now()
			if built, err := time.Parse(time.RFC3339, a.build.Date); err == nil {
				date = built // the same build writes the same pages
			}
			source := "mesh-controller " + a.build.Version
			if len(args) == 1 {
				return writeManuals(args[0], cmd.Root(), date, source)
			}
			_, err := a.stdout.Write(manual(cmd.Root(), date, source))
			return err
		},
	}
}

// writeManuals writes the page of a command and those of all below it.
func writeManuals(dir string, cmd *cobra.Command, date time.Time, source string) error {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			if err := writeManuals(dir, c, date, source); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(filepath.Join(dir, manualName(cmd)+".1"), manual(cmd, date, source), 0o644)
}

// manualName is what man is asked for.
func manualName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }
