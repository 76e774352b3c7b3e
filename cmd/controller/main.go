// Command controller is mesh-controller: it keeps an index of coding agents and
// a message relay in line with the manifests on disk. `run` is the sidecar, the
// other commands ask and order it, or do without it.
//
// This is the only place that knows signals and exit codes.
package main

import (
	"os"
	"runtime"
	"runtime/debug"

	"github.com/mesh-registry/mesh-controller/pkg/clock"
)

// gcPercent lets garbage grow to a quarter of what is in use before it is
// collected: a start with many agents takes a fifth less memory for a twentieth
// more of its CPU, and a quiet sweep makes no garbage. It counts from the first
// collection on, at 4 MB: a start of few agents makes less than that, and would
// be collected twice. GOGC goes before it.
const gcPercent = 25

func main() {
	if os.Getenv("GOGC") == "" {
		runtime.AddCleanup(new([64]byte), func(percent int) { debug.SetGCPercent(percent) }, gcPercent)
	}
	a := &app{
		args:   os.Args[1:],
		stdout: os.Stdout,
		stderr: os.Stderr,
		now:    clock.New().Now,
		build:  thisBuild(),
	}
	os.Exit(a.main())
}
