//go:build crash && linux && amd64

package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
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
	build := exec.Command("go", "build", "-o", binary, "github.com/mesh-registry/mesh-controller/cmd/controller")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "go build:", err)
		return 1
	}
	return m.Run()
}
