package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/mesh-registry/mesh-controller/test/process"
)

// binary is the program under test, built once.
var binary string

// What the binary is told that it is.
const (
	version = "v9.8.7-e2e"
	commit  = "0123456789abcdef0123456789abcdef01234567"
)

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "e2e-bin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "mesh-controller")
	if err := process.Build(binary, "cmd/controller", "-ldflags", "-X main.version="+version+" -X main.commit="+commit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
