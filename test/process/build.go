// Package process is what tests need that run the program as its users do, as
// a process of its own.
package process

import (
	"fmt"
	"os"
	"os/exec"
)

const module = "github.com/mesh-registry/mesh-controller/"

// Build builds a command of this module into a file, without the C library as
// the release is. The package is named as below the module (cmd/controller);
// flags are further ones of go build.
func Build(file, pkg string, flags ...string) error {
	args := append([]string{"build", "-o", file}, flags...)
	build := exec.Command("go", append(args, module+pkg)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build %s: %w", pkg, err)
	}
	return nil
}
