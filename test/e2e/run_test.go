package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRunIsReadyAfterItsFirstSweep(t *testing.T) {
	w := newWorld(t)
	w.fleet(3)
	d := w.start()
	for _, path := range []string{"/healthz", "/readyz", "/readyz?verbose"} {
		d.get(path)
	}
	if n := d.scrape()[`mesh_controller_sweeps_total{result="ok",trigger="startup"}`]; n != 1 {
		t.Errorf("%v startup sweeps", n)
	}
	for i := range 3 {
		a := w.agent(agentID(i))
		if a.Status != "active" || a.Reason != "InSync" || !a.Endpoint || a.ProjectPath != w.project(a.Name) {
			t.Errorf("%+v", a)
		}
		for _, folder := range []string{"new", "cur", "tmp", "failed"} {
			if info, err := os.Stat(w.mailbox(a.RelaySubject + "/" + folder)); err != nil || !info.IsDir() {
				t.Errorf("mailbox: %v", err)
			}
		}
	}
}

func TestRunWithoutAListener(t *testing.T) {
	w := newWorld(t, "listen-address", "")
	w.fleet(1)
	d := w.launch()
	d.await("Ready")
	for _, l := range d.lines() {
		if a := l.text("listen_address") + l.text("address"); a != "" {
			t.Errorf("listens on %s", a)
		}
	}
	d.stop()
}

func TestStop(t *testing.T) {
	t.Run("leaves nothing behind", func(t *testing.T) {
		w := newWorld(t)
		w.fleet(3)
		d := w.start()
		d.stop()
		for _, path := range []string{w.socket, w.db() + "-wal", w.db() + "-shm"} {
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is left (%v)", path, err)
			}
		}
		lines := d.lines()
		if last := lines[len(lines)-1]; last.text("event") != "Stopped" {
			t.Errorf("the last line is %v", last)
		}
		w.want(0, "sync") // the lock is free
	})
	for name, s := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT} {
		t.Run(name+" in time though clients dawdle", func(t *testing.T) {
			w := newWorld(t)
			d := w.start()
			w.dawdle("tcp", d.address)
			w.dawdle("unix", w.socket)
			began := time.Now()
			d.signal(s)
			if code := d.wait(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
	t.Run("a second signal leaves at once", func(t *testing.T) {
		w := newWorld(t)
		d := w.start()
		w.dawdle("tcp", d.address) // so that stopping takes a while
		// Both arrive while it stands still, so it finds the second one waiting.
		d.signal(syscall.SIGSTOP)
		d.signal(syscall.SIGTERM)
		d.signal(syscall.SIGINT)
		d.signal(syscall.SIGCONT)
		if code := d.wait(); code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
		w.want(0, "sync")
	})
	t.Run("while the first sweep runs", func(t *testing.T) {
		w := newWorld(t)
		w.fleet(300)
		d := w.launch()
		d.await("Starting")
		d.stop()
		w.want(0, "sync")
	})
}

// dawdle begins a request and does not end it.
func (w *world) dawdle(network, address string) {
	w.t.Helper()
	conn, err := net.Dial(network, address)
	w.must(err)
	w.t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprint(conn, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n")
	w.must(err)
}

func TestSecondRun(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	d := w.start()
	before, err := os.Lstat(w.socket)
	w.must(err)

	o := w.want(4, "run", "-o", "json")
	e := decode[errorView](w, o.stderr)
	if pid := fmt.Sprintf("process %d ", d.pid()); e.Error.Code != "locked" || !strings.Contains(e.Error.Message, pid) || e.Error.Hint == "" {
		t.Errorf("error %+v does not name %s", e.Error, pid)
	}
	if o.stdout != "" {
		t.Errorf("stdout %s", o.stdout)
	}
	after, err := os.Lstat(w.socket)
	w.must(err)
	if !os.SameFile(before, after) {
		t.Error("the socket is another one")
	}
	w.manifest("p002", agentID(2), nil)
	if s := ask[syncView](w, 0, "sync"); s.Counts.Discovered != 1 {
		t.Errorf("sync through the first daemon: %+v", s.Counts)
	}
	d.stop()
}

// Killed at any moment, the next start takes over what was left and converges.
func TestKilled(t *testing.T) {
	const n = 200
	cases := []struct{ name, after string }{
		{"at the start", "Starting"},
		{"in the middle", "Discovered"},
		{"at rest", "Ready"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.fleet(n)
			d := w.launch()
			d.await(c.after)
			d.signal(syscall.SIGKILL)
			d.wait()
			if _, err := os.Lstat(w.socket); err != nil {
				t.Fatalf("the killed one left no socket: %v", err)
			}

			w.remove(w.project("p000"))
			w.manifest("p001", agentID(1), fields{"description": "edited"})
			next := w.start()
			if s := ask[syncView](w, 0, "sync", "--full"); s.Counts != (counts{Agents: s.Counts.Agents}) {
				t.Errorf("after the first sweep there was more to do: %+v", s.Counts)
			}
			if p := ask[planView](w, 0, "plan"); len(p.Changes) > 1 {
				t.Errorf("plan %+v", p.Changes)
			}
			if got := w.cell("SELECT description FROM agents WHERE id = ?", agentID(1)); got != "edited" {
				t.Errorf("description %q", got)
			}
			if got := w.cell("SELECT count(*) FROM agents WHERE status = 'active'"); got != fmt.Sprint(n-1) {
				t.Errorf("%s active agents", got)
			}
			w.want(0, "doctor")
			next.stop()
		})
	}
}

// Whatever the umask says, what is made is for its user alone.
func TestModes(t *testing.T) {
	w := newWorld(t)
	w.fleet(1)
	w.prefix = []string{"sh", "-c", `umask 0; exec "$0" "$@"`}
	d := w.start()
	for path, want := range map[string]os.FileMode{
		w.db():           0o600,
		w.db() + ".lock": 0o600,
		w.socket:         0o600 | os.ModeSocket,
		w.rules():        0o600,
		w.mailbox("relay.agent.p000." + agentID(0) + "/new"): 0o700 | os.ModeDir,
	} {
		info, err := os.Lstat(path)
		w.must(err)
		if info.Mode() != want {
			t.Errorf("%s: mode %s, want %s", path, info.Mode(), want)
		}
	}
	d.stop()
}
