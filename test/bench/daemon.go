package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// daemon is a running program under measurement.
type daemon struct {
	home
	cmd     *exec.Cmd
	address string
	orders  http.Client // through its socket
	ready   time.Duration
}

// startDaemon returns when the first sweep is done.
func startDaemon(ctx context.Context, b *bench, h home, f fleet, more ...string) (*daemon, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &daemon{home: h, address: l.Addr().String()}
	if err := l.Close(); err != nil {
		return nil, err
	}
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: h.file("notify.sock"), Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	defer told.Close()
	defer os.Remove(h.file("notify.sock")) //nolint:errcheck // the home goes too
	d.orders.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", h.socket())
	}}
	args := append([]string{"run", "--listen-address", d.address, "--resync-jitter", "0"}, h.settings(f, more...)...)
	d.cmd = command(ctx, b.binary, args...)
	d.cmd.Stderr = os.Stderr
	d.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+h.file("notify.sock"))
	began := time.Now()
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	if err := awaitReady(told); err != nil {
		return nil, errors.Join(err, d.cmd.Process.Kill(), d.cmd.Wait())
	}
	d.ready = time.Since(began)
	return d, nil
}

// awaitReady reads what the program tells a service manager.
func awaitReady(told *net.UnixConn) error {
	if err := told.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for {
		n, err := told.Read(buf)
		if err != nil {
			return fmt.Errorf("the daemon is not ready: %w", err)
		}
		if strings.HasPrefix(string(buf[:n]), "READY=1") {
			return nil
		}
	}
}

// stop ends the daemon, also one that is halted.
func (d *daemon) stop() error {
	return errors.Join(d.signal(syscall.SIGCONT), d.signal(syscall.SIGTERM), d.cmd.Wait())
}

func (d *daemon) signal(s syscall.Signal) error { return d.cmd.Process.Signal(s) }
func (d *daemon) pid() int                      { return d.cmd.Process.Pid }

func (d *daemon) get(path string) (string, error) {
	return answer(http.Get("http://" + d.address + path))
}

func answer(resp *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, data)
	}
	return string(data), err
}

// outcome of a sweep that was ordered.
type outcome struct {
	Converged bool
	Counts    struct{ Agents, Queued, Unreachable, Resurrected int }
}

// sweep orders one and waits until all that it queued is converged.
func (d *daemon) sweep(ctx context.Context) (outcome, error) {
	var o outcome
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://socket/v1/sync", bytes.NewReader([]byte("{}")))
	if err != nil {
		return o, err
	}
	req.Header.Set("Content-Type", "application/json")
	text, err := answer(d.orders.Do(req))
	if err == nil {
		err = json.Unmarshal([]byte(text), &o)
	}
	return o, err
}

// settled is a daemon with nothing left to do that trusts what it remembers.
func (b *bench) settled(ctx context.Context, f fleet, more ...string) (d *daemon, err error) {
	h, err := b.newHome()
	if err != nil {
		return nil, err
	}
	if _, err := b.sync(ctx, h, f, more...); err != nil {
		return nil, err
	}
	if d, err = startDaemon(ctx, b, h, f, more...); err != nil {
		return nil, err
	}
	if err := d.settle(ctx); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

// settle waits for what was just written to be trusted, and has it looked at.
func (d *daemon) settle(ctx context.Context) error {
	if err := pause(ctx, 3*time.Second); err != nil { // it is racy for two seconds
		return err
	}
	for range perTurn {
		if _, err := d.sweep(ctx); err != nil {
			return err
		}
	}
	return nil
}
