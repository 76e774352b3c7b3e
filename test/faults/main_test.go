//go:build faults && linux

package faults

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/test/process"
)

// How long the long tests are.
var (
	kills  = flag.Int("kills", 200, "kill -9 under churn, so often")
	cuts   = flag.Int("cuts", 40, "power cuts over all file systems")
	churn  = flag.Duration("churn", time.Minute, "how long everything changes at once")
	agents = flag.Int("agents", 200, "agents of the churn")
)

// The programs, built once.
var binary, faultfs string

// inside is set where the mount namespace is our own.
const inside = "MESH_FAULTS_INSIDE"

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(inside) == "" && os.Geteuid() == 0 {
		os.Exit(again())
	}
	os.Exit(buildAndRun(m))
}

// again runs this program in a mount namespace of its own.
func again() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		fmt.Fprintln(os.Stderr, "a mount namespace:", err)
		return 1
	}
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "faults-bin")
	if err == nil {
		defer os.RemoveAll(dir)
		binary, faultfs = filepath.Join(dir, "mesh-controller"), filepath.Join(dir, "faultfs")
		err = process.Build(binary, "cmd/controller")
	}
	if err == nil {
		err = process.Build(faultfs, "test/faults/faultfs", "-tags", "faults")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
