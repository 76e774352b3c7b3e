//go:build crash && linux && amd64

package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/mesh-registry/mesh-controller/test/process"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	if os.Getenv(launchVar) != "" {
		_ = os.Unsetenv(launchVar)
		runtime.LockOSThread()
		fmt.Fprintln(os.Stderr, launch(os.Args[1:]))
		os.Exit(125)
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "crash")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "mesh-controller")
	if err := process.Build(binary, "cmd/controller"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
