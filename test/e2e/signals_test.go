package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// awaitCell waits until a cell of an agent's row has a value.
func (w *world) awaitCell(column, id, want string) {
	w.t.Helper()
	eventually(w.t, func() error {
		if got := w.cell("SELECT "+column+" FROM agents WHERE id = ?", id); got != want {
			return fmt.Errorf("%s of %s is %q, want %q", column, id, got, want)
		}
		return nil
	})
}

func TestUSR1Resyncs(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	d := w.start()
	w.manifest("p000", agentID(0), fields{"description": "edited"})
	d.signal(syscall.SIGUSR1)
	w.awaitCell("description", agentID(0), "edited")
	eventually(t, func() error {
		if n := d.scrape()[`mesh_controller_sweeps_total{result="ok",trigger="signal"}`]; n != 1 {
			return fmt.Errorf("%v sweeps of trigger signal", n)
		}
		return nil
	})
	line := d.await("Drifted")
	if line.text("agent_id") != agentID(0) || line.text("path") != w.project("p000") || line.text("reason") != "Drifted" {
		t.Errorf("line %v", line)
	}
}

// A hundred at once are a few, and the last one is not lost.
func TestUSR1StormCoalesces(t *testing.T) {
	w := newWorld(t)
	w.fleet(200)
	d := w.start()
	for i := range 100 {
		if i == 99 {
			w.manifest("p007", agentID(7), fields{"description": "edited at the end"})
		}
		d.signal(syscall.SIGUSR1)
	}
	w.awaitCell("description", agentID(7), "edited at the end")
	w.want(0, "sync") // ends after whatever waited before it
	if n := d.scrape().sum("mesh_controller_sweeps_total{"); n < 3 || n > 15 {
		t.Errorf("%v sweeps, one of them at the start and one of sync", n)
	}
}

// HUP reloads the file, or says why not, and sweeps in either case.
func TestHUP(t *testing.T) {
	w := newWorld(t)
	delete(w.settings, "scan-root")
	file := w.path("config/mesh-controller/config.yaml")
	text := func(more string) string { return "scan-root: [" + w.projects + "]\n" + more }
	w.write(file, text(""))
	w.fleet(1)
	d := w.start()
	other := w.path("other")

	steps := []struct {
		name, file string
		want       []string // on a line of the log each
		found      string   // the agent that is found by the sweep, in which project
	}{
		{
			"good", "scan-root: [" + w.projects + ", " + other + "]\nlog-level: debug\n",
			[]string{`"event":"Reloaded"`, `"scan-root"`, `"log-level"`},
			other + "/a",
		},
		{
			"bad value", text("orphan-grace: soon\n"),
			[]string{"the old one stays", file + ":2: orphan-grace", `soon`},
			other + "/b",
		},
		{
			"bad key", text("resync-intervall: 1m\n"),
			[]string{"the old one stays", file + ":2: unknown key", "resync-interval"},
			other + "/c",
		},
		{
			"not there", "",
			[]string{`"event":"Reloaded"`},
			w.projects + "/d",
		},
		{
			"takes a restart", text("workers: 3\nrelay-dir: " + w.path("elsewhere") + "\n"),
			[]string{`"event":"Reloaded"`, "restart", `"relay-dir"`, `"workers"`},
			w.projects + "/e",
		},
	}
	for i, s := range steps {
		before := len(w.read(d.log))
		if s.file == "" {
			// Without roots of its own the recorded ones stay.
			w.remove(file)
		} else {
			w.write(file, s.file)
		}
		id := fmt.Sprintf("FOUND%d", i)
		w.write(manifestOf(s.found), `{"id":"`+id+`","name":"found","runtime":"codex","registeredAt":"2026-01-02T03:04:05.000Z","registeredBy":"e2e"}`)
		d.signal(syscall.SIGHUP)
		eventually(t, func() error {
			said := w.read(d.log)[before:]
			for _, want := range append(s.want, `"agent_id":"`+id+`"`) {
				if !strings.Contains(said, want) {
					return fmt.Errorf("%s: the log does not say %s:\n%s", s.name, want, said)
				}
			}
			return nil
		})
		// Commands would refuse a bad file; the daemon answers.
		if a := decode[agentView](w, d.get("/api/v1/agents/"+id).body); a.ProjectPath != s.found {
			t.Errorf("%s: %+v", s.name, a)
		}
	}
	d.stop()
}
