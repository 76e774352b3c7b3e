package process

import (
	"bytes"
	"errors"
	"os/exec"
)

// Run runs a command to its end and returns its exit code and what it printed.
// The error says that it could not be run at all.
func Run(cmd *exec.Cmd) (code int, stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if _, ended := errors.AsType[*exec.ExitError](err); !ended {
			return 0, "", "", err
		}
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String(), nil
}
