package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// daemon is a `mesh-controller run`.
type daemon struct {
	w       *world
	cmd     *exec.Cmd
	log     string // file of its stderr
	stdout  bytes.Buffer
	ended   chan struct{}
	address string
}

// start runs a daemon and waits until it is ready.
func (w *world) start(args ...string) *daemon {
	w.t.Helper()
	d := w.launch(args...)
	d.await("Ready")
	d.address = d.listens()
	return d
}

// launch runs one and does not wait.
func (w *world) launch(args ...string) *daemon {
	w.t.Helper()
	log, err := os.CreateTemp(w.dir, "log")
	w.must(err)
	defer log.Close() // the process has its own
	d := &daemon{w: w, log: log.Name(), ended: make(chan struct{})}
	d.cmd = w.command(w.t.Context(), append([]string{"run"}, args...)...)
	d.cmd.Stderr, d.cmd.Stdout = log, &d.stdout
	w.must(d.cmd.Start())
	go func() {
		_ = d.cmd.Wait() // the code says it
		close(d.ended)
	}()
	w.t.Cleanup(d.leave)
	return d
}

// leave ends what a test left running, and looks at what it said.
func (d *daemon) leave() {
	_ = d.cmd.Process.Kill() // may have ended
	<-d.ended
	if d.stdout.Len() > 0 {
		d.w.t.Errorf("stdout of the daemon: %s", &d.stdout)
	}
	for _, l := range d.lines() {
		for _, key := range []string{"ts", "level", "msg"} {
			if l.text(key) == "" {
				d.w.t.Errorf("log line without %s: %v", key, l)
			}
		}
	}
	if d.w.t.Failed() {
		d.w.t.Logf("log of the daemon:\n%s", d.w.read(d.log))
	}
}

func (d *daemon) pid() int { return d.cmd.Process.Pid }

func (d *daemon) signal(s syscall.Signal) {
	d.w.t.Helper()
	d.w.must(d.cmd.Process.Signal(s))
}

// wait waits for its end and returns the exit code; -1 if a signal killed it.
func (d *daemon) wait() int {
	d.w.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.w.t.Fatal("the daemon does not end")
	}
	return d.cmd.ProcessState.ExitCode()
}

// stop ends it as a service manager does.
func (d *daemon) stop() {
	d.w.t.Helper()
	d.signal(syscall.SIGTERM)
	if code := d.wait(); code != 0 {
		d.w.t.Errorf("exit code %d after SIGTERM", code)
	}
}

// logLine is one line of the log.
type logLine map[string]any

func (l logLine) text(key string) string { s, _ := l[key].(string); return s }

// lines is the log up to now.
func (d *daemon) lines() []logLine {
	d.w.t.Helper()
	var lines []logLine
	for line := range strings.Lines(d.w.read(d.log)) {
		if !strings.HasSuffix(line, "\n") {
			continue // is being written
		}
		var l logLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			d.w.t.Errorf("log line is not a JSON object: %s", line)
			continue
		}
		lines = append(lines, l)
	}
	return lines
}

// await waits for a log line with an event and returns the first.
func (d *daemon) await(event string) logLine {
	d.w.t.Helper()
	var found logLine
	eventually(d.w.t, func() error {
		for _, l := range d.lines() {
			if l.text("event") == event {
				found = l
				return nil
			}
		}
		select {
		case <-d.ended:
			d.w.t.Fatalf("the daemon ended with %d before the event %s", d.cmd.ProcessState.ExitCode(), event)
		default:
		}
		return fmt.Errorf("no event %s in the log", event)
	})
	return found
}

// listens finds the address that the daemon chose.
func (d *daemon) listens() string {
	d.w.t.Helper()
	for _, l := range d.lines() {
		if a := l.text("listen_address"); a != "" {
			return a
		}
		if a := l.text("address"); a != "" && l.text("event") == "Listening" {
			return a
		}
	}
	d.w.t.Fatal("the log names no address")
	return ""
}

// eventually polls until there is no error.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
