package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// command that ends with the context, and with this process however that ends.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// tool is the first of some names that is in PATH.
func tool(names ...string) (string, error) {
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			return path, nil
		}
	}
	return "", skip(fmt.Sprintf("no %s in PATH", names[0]))
}

// usage of a command that has ended.
type usage struct {
	wall, cpu float64 // seconds
	rss       float64 // MiB at most
	out       string
}

// timed runs a command to its end.
func timed(cmd *exec.Cmd) (usage, error) {
	start := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(start).Seconds()
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w: %s", cmd, err, out)
	}
	u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}, errors.New("no resource usage on this system")
	}
	return usage{wall, float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9, float64(u.Maxrss) / 1024, string(out)}, nil
}

// sync runs one sync in a process of its own, through a daemon if one runs.
func (b *bench) sync(ctx context.Context, h home, f fleet, more ...string) (usage, error) {
	return timed(command(ctx, b.binary, append([]string{"sync"}, h.settings(f, more...)...)...))
}

// pause unless the context ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
