package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// follower is a command that goes on printing.
type follower struct {
	w     *world
	cmd   *exec.Cmd
	out   string // file of its stdout
	ended chan struct{}
}

func (w *world) follow(args ...string) *follower {
	w.t.Helper()
	out, err := os.CreateTemp(w.dir, "out")
	w.must(err)
	defer out.Close() // the process has its own
	f := &follower{w: w, cmd: w.command(w.t.Context(), args...), out: out.Name(), ended: make(chan struct{})}
	f.cmd.Stdout = out
	w.must(f.cmd.Start())
	go func() {
		_ = f.cmd.Wait() // the code says it
		close(f.ended)
	}()
	w.t.Cleanup(func() {
		_ = f.cmd.Process.Kill() // may have ended
		<-f.ended
	})
	return f
}

// says waits until it printed a text.
func (f *follower) says(text string) {
	f.w.t.Helper()
	eventually(f.w.t, func() error {
		if got := f.w.read(f.out); !strings.Contains(got, text) {
			return fmt.Errorf("does not print %s:\n%s", text, got)
		}
		return nil
	})
}

func (f *follower) interrupt() int {
	f.w.t.Helper()
	f.w.must(f.cmd.Process.Signal(syscall.SIGINT))
	<-f.ended
	return f.cmd.ProcessState.ExitCode()
}
