//go:build faults && linux

package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// daemon is a `mesh-controller run`.
type daemon struct {
	w       *world
	cmd     *exec.Cmd
	log     string // file of its stderr
	ended   chan struct{}
	address string
	socket  *http.Client
}

// start runs a daemon and waits until it is ready.
func (w *world) start() *daemon {
	w.t.Helper()
	d := w.launch()
	d.awaitStart()
	return d
}

// launch runs one and does not wait.
func (w *world) launch() *daemon {
	w.t.Helper()
	socket := w.settings["socket"]
	d := &daemon{w: w, log: filepath.Join(w.dir, fmt.Sprintf("log-%d", time.Now().UnixNano()))}
	d.socket = &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true, // whoever answers next time may be another process
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}
	d.spawn()
	w.t.Cleanup(func() {
		d.kill()
		if w.t.Failed() {
			text := d.said()
			w.t.Logf("log of the daemon:\n%s", text[max(0, len(text)-6000):])
		}
	})
	return d
}

// spawn starts the process; again, after it was killed, with a new log.
func (d *daemon) spawn() {
	d.w.t.Helper()
	log, err := os.Create(d.log)
	d.w.must(err)
	defer log.Close() // the process has its own
	line := append(append([]string{}, d.w.prefix...), binary, "run")
	cmd, ended := exec.Command(line[0], line[1:]...), make(chan struct{})
	cmd.Dir, cmd.Env, cmd.Stderr, cmd.Stdout = "/", d.w.environ(), log, log
	// It goes with the test, whatever becomes of that.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	d.w.must(cmd.Start())
	d.cmd, d.ended, d.address = cmd, ended, ""
	go func() {
		_ = cmd.Wait() // the code says it
		close(ended)
	}()
}

// awaitStart waits until it is ready.
func (d *daemon) awaitStart() {
	d.w.t.Helper()
	d.w.eventually(func() error {
		if !d.lives() {
			d.w.t.Fatalf("it ended with %d:\n%s", d.cmd.ProcessState.ExitCode(), d.said())
		}
		if !strings.Contains(d.said(), `"event":"Ready"`) {
			return fmt.Errorf("not ready:\n%s", d.said())
		}
		return nil
	})
}

func (d *daemon) said() string {
	text, err := os.ReadFile(d.log)
	d.w.must(err)
	return string(text)
}

func (d *daemon) lives() bool {
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

func (d *daemon) pid() int { return d.cmd.Process.Pid }

func (d *daemon) signal(s syscall.Signal) { _ = d.cmd.Process.Signal(s) }

// kill ends it as a power cut would.
func (d *daemon) kill() {
	d.signal(syscall.SIGKILL)
	<-d.ended
}

// stop ends it as a service manager does.
func (d *daemon) stop() {
	d.w.t.Helper()
	began := time.Now()
	d.signal(syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.w.t.Fatal("the daemon does not end")
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 0 || time.Since(began) > 6*time.Second {
		d.w.t.Errorf("exit code %d, %s after SIGTERM", code, time.Since(began))
	}
}

// nobody is the code where there was nobody to ask, unanswered where there was.
const nobody, unanswered = -1, 0

// answer is what came back.
type answer struct {
	code int
	body string
}

// order is a request on the socket.
func (d *daemon) order(method, path, body string) answer {
	return request(d.socket, method, "http://socket"+path, body)
}

var listens = regexp.MustCompile(`"listen_address":"([^"]+)"`)

// get is a request at the port.
func (d *daemon) get(path string) answer {
	if d.address == "" {
		if m := listens.FindStringSubmatch(d.said()); m != nil {
			d.address = m[1]
		}
	}
	return request(&http.Client{Timeout: patience}, http.MethodGet, "http://"+d.address+path, "")
}

func request(c *http.Client, method, url, body string) answer {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return answer{nobody, err.Error()}
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return answer{nobody, err.Error()}
	}
	if err != nil {
		return answer{unanswered, err.Error()}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{unanswered, err.Error()}
	}
	return answer{resp.StatusCode, string(text)}
}

func (d *daemon) ready() bool { return d.get("/readyz").code == http.StatusOK }

// awaitReady waits until it is, or is not.
func (d *daemon) awaitReady(want bool, patience time.Duration) {
	d.w.t.Helper()
	d.w.within(patience, func() error {
		if a := d.get("/readyz"); (a.code == http.StatusOK) != want {
			return fmt.Errorf("readyz %d %s", a.code, a.body)
		}
		return nil
	})
}

// healthy fails the test unless the loop lives.
func (d *daemon) healthy() {
	d.w.t.Helper()
	if a := d.get("/healthz"); a.code != http.StatusOK {
		d.w.t.Errorf("healthz %d %s", a.code, a.body)
	}
}

// metric is the sum of the series that begin with a name.
func (d *daemon) metric(name string) (sum float64) {
	d.w.t.Helper()
	for line := range strings.Lines(d.get("/metrics").body) {
		series, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && (series == "mesh_controller_"+name || strings.HasPrefix(series, "mesh_controller_"+name+"{") || series == name) {
			n, err := strconv.ParseFloat(value, 64)
			d.w.must(err)
			sum += n
		}
	}
	return sum
}

func (d *daemon) sweeps() float64 { return d.metric("sweeps_total") }

// moreSweeps waits until n further ones have ended.
func (d *daemon) moreSweeps(n int) {
	d.w.t.Helper()
	from := d.sweeps()
	d.w.eventually(func() error {
		if got := d.sweeps() - from; got < float64(n) {
			return fmt.Errorf("%v sweeps, want %d", got, n)
		}
		return nil
	})
}

// seen waits until a sweep has put a description into the index.
func (w *world) seen(id, description string) {
	w.t.Helper()
	w.eventually(func() error {
		if got := w.cell("SELECT description FROM agents WHERE id = ?", id); got != description {
			return fmt.Errorf("the row of %s says %q, want %q", id, got, description)
		}
		return nil
	})
}

// status is a number of /proc/PID/status: Threads, VmRSS (kB), ...
func (d *daemon) status(key string) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.pid()))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			d.w.must(err)
			return n
		}
	}
	return 0
}

func (d *daemon) descriptors() int {
	list, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", d.pid()))
	d.w.must(err)
	return len(list)
}

type eventView struct{ ID, Reason, Message string }

// events of one agent, or of all.
func (w *world) events(args ...string) (list []eventView) {
	w.t.Helper()
	var v struct{ Events []eventView }
	w.must(json.Unmarshal([]byte(w.want(0, append([]string{"events", "-o", "json"}, args...)...).stdout), &v))
	return v.Events
}

// neverRemoved fails the test where anybody was.
func (w *world) neverRemoved() {
	w.t.Helper()
	for _, e := range w.events() {
		if e.Reason == "Removed" {
			w.t.Errorf("%s was removed: %s", e.ID, e.Message)
		}
	}
}
