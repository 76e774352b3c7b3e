package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// The system calls of one quiet sweep, and those that wait for the disk.
func measureSyscalls(ctx context.Context, b *bench, f fleet) (_ []figures, err error) {
	strace, err := tool("strace")
	if err != nil {
		return nil, err
	}
	d, err := b.settled(ctx, f, "--scan-depth", "2", "--resync-interval", "0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	calls, fsyncs := figures{line: "syscalls"}, figures{line: "fsyncs"}
	for range b.rounds {
		counts, err := d.traceSweep(ctx, strace)
		if err != nil {
			return nil, err
		}
		total, waits := 0.0, 0.0
		for call, n := range counts {
			total += n
			if strings.Contains(call, "sync") {
				waits += n
			}
		}
		calls.ours, calls.other = append(calls.ours, total), append(calls.other, float64(f.n))
		fsyncs.ours = append(fsyncs.ours, waits)
	}
	return []figures{calls, fsyncs}, nil
}

// traceSweep counts the system calls of the daemon while it sweeps once.
func (d *daemon) traceSweep(ctx context.Context, strace string) (map[string]float64, error) {
	out := d.file("calls")
	cmd := command(ctx, strace, "-f", "-c", "-o", out, "-p", strconv.Itoa(d.pid()))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := awaitAttached(stderr); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	_, swept := d.sweep(ctx)
	if err := errors.Join(swept, cmd.Process.Signal(syscall.SIGINT), ended(cmd)); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(out)
	return parseCounts(string(data)), err
}

// awaitAttached returns at strace's first word, and throws the others away.
func awaitAttached(stderr io.Reader) error {
	r := bufio.NewReader(stderr)
	first, err := r.ReadString('\n')
	if err != nil || !strings.Contains(first, "attached") {
		return skip("strace may not look at the program: " + strings.TrimSpace(first))
	}
	go io.Copy(io.Discard, r) //nolint:errcheck // nobody asks
	return nil
}

// ended waits for strace, which ends by the signal that it was sent.
func ended(cmd *exec.Cmd) error {
	err := cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGINT {
		return nil
	}
	return err
}

// parseCounts reads "% time, seconds, usecs/call, calls, [errors,] syscall".
func parseCounts(table string) map[string]float64 {
	counts := map[string]float64{}
	for l := range strings.Lines(table) {
		fields := strings.Fields(l)
		if len(fields) < 5 || fields[len(fields)-1] == "total" {
			continue
		}
		if n, err := strconv.ParseFloat(fields[3], 64); err == nil {
			counts[fields[len(fields)-1]] = n
		}
	}
	return counts
}
