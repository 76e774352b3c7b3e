// Command controller is mesh-controller: it keeps an index of coding agents and
// a message relay in line with the manifests on disk. `run` is the sidecar, the
// other commands ask and order it, or do without it.
//
// This is the only place that knows signals and exit codes.
package main

import (
	"os"

	"github.com/mesh-registry/mesh-controller/pkg/clock"
)

func main() {
	a := &app{
		args:   os.Args[1:],
		stdout: os.Stdout,
		stderr: os.Stderr,
		now:    clock.New().Now,
		build:  thisBuild(),
	}
	os.Exit(a.main())
}
