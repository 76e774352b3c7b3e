package e2e

import (
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"time"

	"github.com/mesh-registry/mesh-controller/test/process"
)

// patience is how long anything may take on a loaded machine.
const patience = 30 * time.Second

// outcome is what a command that ended leaves.
type outcome struct {
	code           int
	stdout, stderr string
}

// variable is the environment's name of a setting.
func variable(flag string) string {
	return "MESH_CONTROLLER_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	line := append(append([]string{}, w.prefix...), binary)
	line = append(line, args...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir, cmd.Env = w.dir, w.environ()
	return cmd
}

// run runs a command to its end.
func (w *world) run(args ...string) outcome {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	code, stdout, stderr, err := process.Run(w.command(ctx, args...))
	if err != nil {
		w.t.Fatalf("%v: %v", args, err)
	}
	return outcome{code, stdout, stderr}
}

// want runs a command that must end with a code.
func (w *world) want(code int, args ...string) outcome {
	w.t.Helper()
	o := w.run(args...)
	if o.code != code {
		w.t.Fatalf("%v: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", args, o.code, code, o.stdout, o.stderr)
	}
	return o
}

// ask is want for a command whose output is JSON. A success says nothing else.
func ask[T any](w *world, code int, args ...string) T {
	w.t.Helper()
	o := w.want(code, append(args, "-o", "json")...)
	if code == 0 && o.stderr != "" {
		w.t.Errorf("%v: says beside its data: %s", args, o.stderr)
	}
	return decode[T](w, o.stdout)
}

func decode[T any](w *world, text string) T {
	w.t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		w.t.Fatalf("%v in:\n%s", err, text)
	}
	return v
}
