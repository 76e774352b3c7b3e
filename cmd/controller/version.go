package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
)

// Set by the linker (see the Makefile): the only package variables.
var version, commit, date string

// thisBuild is what the linker was told, else what the toolchain recorded.
func thisBuild() daemon.Build {
	b := daemon.Build{Version: version, Commit: commit, Date: date}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	fill := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	fill(&b.Version, info.Main.Version)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			fill(&b.Commit, s.Value)
		case "vcs.time":
			fill(&b.Date, s.Value)
		}
	}
	fill(&b.Version, "unknown")
	fill(&b.Commit, "unknown")
	fill(&b.Date, "unknown")
	return b
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print which build this is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				daemon.Build
				GoVersion string `json:"goVersion"`
				Platform  string `json:"platform"`
			}{a.build, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			return a.print(v, func(w io.Writer) {
				fmt.Fprintf(w, "mesh-controller %s (commit %s, %s, %s, %s)\n", v.Version, v.Commit, v.Date, v.GoVersion, v.Platform)
			})
		},
	}
}
