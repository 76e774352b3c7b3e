package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// short graces, so that a life ends within a test.
func mortal(t *testing.T) *world {
	return newWorld(t, "orphan-grace", "2s", "settle", "1s", "resync-interval", "1s", "resync-jitter", "0")
}

// awaitStatus waits for the status of an agent; "" is that it is gone.
func (w *world) awaitStatus(id, want string) agentView {
	w.t.Helper()
	var found agentView
	eventually(w.t, func() error {
		got := ""
		for _, a := range ask[agentsView](w, 0, "agents").Agents {
			if a.ID == id {
				got, found = a.Status, a
			}
		}
		if got != want {
			return fmt.Errorf("%s is %q, want %q", id, got, want)
		}
		return nil
	})
	return found
}

// An agent whose directory is gone leaves index and relay when its grace is
// over, and its mail is kept.
func TestOrphanIsRemoved(t *testing.T) {
	w := mortal(t)
	w.fleet(3)
	d := w.start()
	subject := w.agent(agentID(1)).RelaySubject
	w.write(filepath.Join(w.mailbox(subject), "new", "letter"), "undelivered")

	w.remove(w.project("p001"))
	a := w.awaitStatus(agentID(1), "unreachable")
	if a.Reason != "PathMissing" || a.MissingSince == nil || a.RemoveAt == nil {
		t.Errorf("orphan %+v", a)
	}
	missing, err := time.Parse(time.RFC3339, *a.MissingSince)
	w.must(err)
	removeAt, err := time.Parse(time.RFC3339, *a.RemoveAt)
	w.must(err)
	if got := removeAt.Sub(missing); got != 2*time.Second {
		t.Errorf("to be removed after %s", got)
	}
	w.awaitStatus(agentID(1), "")

	removed := ask[eventsView](w, 0, "events", agentID(1)).Events
	if diff := cmp.Diff([]string{"Discovered", "PathMissing", "Removed"}, w.reasons(agentID(1))); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	at, err := time.Parse(time.RFC3339, removed[len(removed)-1].At)
	w.must(err)
	if at.Before(removeAt) {
		t.Errorf("removed at %s, due at %s", at, removeAt)
	}
	eventually(t, func() error { // after the row
		kept, err := filepath.Glob(filepath.Join(w.home, "relay", "removed", subject+".*", "new", "letter"))
		w.must(err)
		if len(kept) != 1 || w.read(kept[0]) != "undelivered" {
			return fmt.Errorf("kept mail: %v", kept)
		}
		if left := w.treeOf(w.mailbox(subject)); len(left) > 0 {
			return fmt.Errorf("the mailbox is left: %v", left)
		}
		if s := d.scrape(); s[`mesh_controller_removals_total{reason="PathMissing"}`] != 1 ||
			s[`mesh_controller_actions_total{action="removeRow",result="ok"}`] != 1 || s[`mesh_controller_agents{status="active"}`] != 2 {
			return fmt.Errorf("metrics: %v removals", s.sum("mesh_controller_removals_total"))
		}
		return nil
	})
	for _, i := range []int{0, 2} {
		if a := w.agent(agentID(i)); a.Status != "active" || !a.Endpoint {
			t.Errorf("another agent: %+v", a)
		}
	}

	// Within 30 days it comes back whole.
	w.manifest("back", agentID(1), nil)
	b := w.awaitStatus(agentID(1), "active")
	eventually(t, func() error {
		if mail := w.mailbox(b.RelaySubject) + "/new/letter"; len(w.treeOf(mail)) != 1 {
			return fmt.Errorf("its mail is not in %s", mail)
		}
		return nil
	})
	if r := w.reasons(agentID(1)); r[len(r)-1] != "Resurrected" {
		t.Errorf("history %v", r)
	}
}

// One that returns in time keeps everything, and its clock is forgotten.
func TestOrphanReturns(t *testing.T) {
	w := mortal(t)
	w.fleet(2)
	d := w.start()
	registered := w.cell("SELECT registered_at FROM agents WHERE id = ?", agentID(1))
	letter := filepath.Join(w.mailbox(w.agent(agentID(1)).RelaySubject), "new", "letter")
	w.write(letter, "undelivered")

	w.move(w.project("p001"), w.path("bin/p001"))
	w.awaitStatus(agentID(1), "unreachable")
	w.move(w.path("bin/p001"), w.project("p001"))
	a := w.awaitStatus(agentID(1), "active")
	if a.MissingSince != nil || a.RemoveAt != nil || a.Reason != "InSync" {
		t.Errorf("%+v", a)
	}
	if diff := cmp.Diff([]string{"Discovered", "PathMissing", "Resurrected"}, w.reasons(agentID(1))); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	began := d.scrape()[`mesh_controller_sweeps_total{result="ok",trigger="interval"}`]
	eventually(t, func() error { // until its grace would have been over
		if n := d.scrape()[`mesh_controller_sweeps_total{result="ok",trigger="interval"}`]; n < began+3 {
			return fmt.Errorf("%v sweeps", n-began)
		}
		return nil
	})
	if a := w.agent(agentID(1)); a.Status != "active" || w.read(letter) != "undelivered" {
		t.Errorf("%+v", a)
	}
	if got := w.cell("SELECT registered_at FROM agents WHERE id = ?", agentID(1)); got != registered {
		t.Errorf("registered at %s, was %s", got, registered)
	}
	if got := w.cell("SELECT count(*) FROM mesh_controller_agents WHERE missing_since IS NOT NULL"); got != "0" {
		t.Errorf("%s clocks", got)
	}
}

// A grace goes on while no daemon runs, and is not begun anew by one.
func TestGraceOutlivesTheDaemon(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	w.want(0, "sync")
	w.remove(w.project("p001"))
	w.want(0, "sync")
	before := w.agent(agentID(1))
	d := w.start()
	w.want(0, "sync", "--full")
	d.signal(syscall.SIGKILL)
	d.wait()
	w.start()
	after := w.agent(agentID(1))
	if *after.MissingSince != *before.MissingSince || *after.RemoveAt != *before.RemoveAt {
		t.Errorf("was %s to %s, is %s to %s", *before.MissingSince, *before.RemoveAt, *after.MissingSince, *after.RemoveAt)
	}
	if got := w.cell("SELECT missing_since FROM mesh_controller_agents WHERE agent_id = ?", agentID(1)); got != *after.MissingSince {
		t.Errorf("stored %s", got)
	}
	if r := w.reasons(agentID(1)); slices.Index(r, "PathMissing") != len(r)-1 {
		t.Errorf("history %v", r)
	}
}
