package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// daemon is a running program under measurement.
type daemon struct {
	cmd     *exec.Cmd
	address string
	home    string
}

// settings name the home, the tree and the socket of a command.
func settings(home, root string, more ...string) []string {
	return append([]string{
		"--dork-home", home, "--scan-root", root,
		"--socket", filepath.Join(home, "bench.sock"), "--log-level", "error",
	}, more...)
}

// startDaemon returns when the first sweep is done.
func startDaemon(ctx context.Context, b *bench, home, root string, more ...string) (*daemon, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &daemon{address: l.Addr().String(), home: home}
	if err := l.Close(); err != nil {
		return nil, err
	}
	args := append([]string{"run", "--listen-address", d.address, "--resync-jitter", "0"}, settings(home, root, more...)...)
	d.cmd = exec.CommandContext(ctx, b.binary, args...)
	d.cmd.Stderr = os.Stderr
	d.cmd.Cancel = func() error { return d.cmd.Process.Kill() } // also one that is halted
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	for range 6000 {
		if _, err := d.get("/readyz"); err == nil {
			return d, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, errors.Join(errors.New("not ready after a minute"), d.stop())
}

func (d *daemon) get(path string) (string, error) {
	resp, err := http.Get("http://" + d.address + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", errors.New(resp.Status)
	}
	data, err := io.ReadAll(resp.Body)
	return string(data), err
}

// stop ends the daemon, also one that is halted.
func (d *daemon) stop() error {
	return errors.Join(d.signal(syscall.SIGCONT), d.signal(syscall.SIGTERM), d.cmd.Wait())
}

func (d *daemon) signal(s syscall.Signal) error { return d.cmd.Process.Signal(s) }

// counters of a daemon at one moment.
type counters struct {
	sweeps, cpu, written, hwm float64
}

// window is what the daemon did while it was let run for a time; per sweep.
// Reading the counters costs the daemon more than a small sweep, so its CPU
// is read inside of the two scrapes.
func (d *daemon) window(length time.Duration) (counters, error) {
	if err := d.signal(syscall.SIGCONT); err != nil {
		return counters{}, err
	}
	from, err := d.scrape()
	if err != nil {
		return counters{}, err
	}
	pid := d.cmd.Process.Pid
	if from.cpu, err = processCPU(pid); err != nil {
		return counters{}, err
	}
	time.Sleep(length)
	cpu, err := d.idle()
	if err != nil {
		return counters{}, err
	}
	to, err := d.scrape()
	if err != nil {
		return counters{}, err
	}
	sweeps := to.sweeps - from.sweeps
	if sweeps == 0 {
		return counters{}, errors.New("no sweep ended in the window")
	}
	return counters{
		sweeps: sweeps, cpu: (cpu - from.cpu) / sweeps,
		written: to.written - from.written, hwm: to.hwm,
	}, d.signal(syscall.SIGSTOP)
}

// idle waits for the end of a sweep that is going on: no CPU for 30 ms.
func (d *daemon) idle() (float64, error) {
	for {
		before, err := processCPU(d.cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		time.Sleep(30 * time.Millisecond)
		after, err := processCPU(d.cmd.Process.Pid)
		if err != nil || after-before < 0.0005 {
			return after, err
		}
	}
}

func (d *daemon) scrape() (counters, error) {
	text, err := d.get("/metrics")
	if err != nil {
		return counters{}, err
	}
	c := counters{}
	if c.sweeps, err = sumMetric(text, "mesh_controller_sweeps_total"); err != nil {
		return c, err
	}
	pid := d.cmd.Process.Pid
	if c.written, err = procField(pid, "io", "write_bytes"); err != nil {
		return c, err
	}
	c.hwm, err = procField(pid, "status", "VmHWM")
	return c, err
}

// sumMetric adds up the series of one metric. One that is not there is an
// error: it must not look like 0.
func sumMetric(text, name string) (float64, error) {
	total, found := 0.0, false
	for l := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(l, name)
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		fields := strings.Fields(rest)
		v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		total, found = total+v, true
	}
	if !found {
		return 0, fmt.Errorf("no metric %s", name)
	}
	return total, nil
}

// sync runs one sync and returns its wall time, CPU and greatest memory (KiB).
func (b *bench) sync(ctx context.Context, home, root string, more ...string) (wall, cpu, rss float64, err error) {
	cmd := exec.CommandContext(ctx, b.binary, append([]string{"sync"}, settings(home, root, more...)...)...)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	wall = time.Since(start).Seconds()
	if err != nil {
		return 0, 0, 0, fmt.Errorf("sync: %w: %s", err, out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, 0, errors.New("no resource usage on this system")
	}
	return wall, float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9, float64(usage.Maxrss), nil
}
