package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// step is something that happens, and what the next sync says of it.
type step struct {
	name string
	do   func(w *world)
	want counts
}

func syncSteps() []step {
	mailbox := func(w *world, project string, i int) string {
		return w.mailbox("relay.agent." + project + "." + agentID(i))
	}
	return []step{
		{"five projects", func(w *world) { w.fleet(5) }, counts{Agents: 5, Queued: 5, Discovered: 5}},
		{"nothing", func(*world) {}, counts{Agents: 5}},
		{
			"an edit", func(w *world) { w.manifest("p000", agentID(0), fields{"description": "edited"}) },
			counts{Agents: 5, Queued: 1, Synced: 1},
		},
		{
			"another namespace", func(w *world) { w.manifest("p000", agentID(0), fields{"namespace": "team"}) },
			counts{Agents: 5, Queued: 1, Synced: 1},
		},
		{"a move", func(w *world) { w.move(w.project("p001"), w.project("q001")) }, counts{Agents: 5, Queued: 1, Relocated: 1}},
		{"a copy", func(w *world) { w.copyProject("p002", "copy") }, counts{Agents: 5, Queued: 1, Duplicates: 1}},
		{"nothing, with a copy", func(*world) {}, counts{Agents: 5, Duplicates: 1}},
		{"the copy goes", func(w *world) { w.remove(w.project("copy")) }, counts{Agents: 5, Queued: 1}},
		{"a deletion", func(w *world) { w.move(w.project("p003"), w.path("bin/p003")) }, counts{Agents: 5, Queued: 1, Unreachable: 1}},
		{"nothing, with an orphan", func(*world) {}, counts{Agents: 5}},
		{"a return", func(w *world) { w.move(w.path("bin/p003"), w.project("p003")) }, counts{Agents: 5, Queued: 1, Resurrected: 1}},
		{"a broken file", func(w *world) { w.write(manifestOf(w.project("p004")), `{"id":`) }, counts{Agents: 5, Queued: 1, Invalid: 1}},
		{"nothing, with a broken file", func(*world) {}, counts{Agents: 5, Invalid: 1}},
		{"it is mended", func(w *world) { w.manifest("p004", agentID(4), nil) }, counts{Agents: 5, Queued: 1}},
		{"a mailbox goes", func(w *world) { w.remove(mailbox(w, "p004", 4)) }, counts{Agents: 5, Queued: 1, Synced: 1}},
		{"the rules go", func(w *world) { w.write(w.rules(), "[]") }, counts{Agents: 5, Queued: 5, Synced: 5}},
		{
			"another writer", func(w *world) { w.sql("UPDATE agents SET name = 'else' WHERE id = ?", agentID(2)) },
			counts{Agents: 5, Queued: 1, Synced: 1},
		},
		{"a new one", func(w *world) { w.manifest("p005", agentID(5), nil) }, counts{Agents: 6, Queued: 1, Discovered: 1}},
		{
			"two things", func(w *world) {
				w.move(w.project("p005"), w.project("q005"))
				w.manifest("q005", agentID(5), fields{"name": "other"})
				w.remove(manifestOf(w.project("p004")))
			},
			counts{Agents: 6, Queued: 2, Relocated: 1, Unreachable: 1},
		},
		{
			"on the deny list", func(w *world) {
				w.sql("INSERT INTO mesh_controller_denials (path, created_at) VALUES (?, ?)", w.project("p000"), "2026-01-02T03:04:05.000Z")
			},
			counts{Agents: 5, Queued: 1, Removed: 1},
		},
	}
}

func TestSyncCounts(t *testing.T) {
	for _, served := range []bool{true, false} {
		name := map[bool]string{true: "through the daemon", false: "without a daemon"}[served]
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if served {
				w.start()
			}
			for _, s := range syncSteps() {
				s.do(w)
				got := ask[syncView](w, 0, "sync")
				if diff := cmp.Diff(s.want, got.Counts); diff != "" {
					t.Errorf("%s (-want +got):\n%s", s.name, diff)
				}
				if !got.Converged || got.Full || len(got.Failures) > 0 {
					t.Errorf("%s: %+v", s.name, got)
				}
			}
			if got := ask[syncView](w, 0, "sync", "--full"); !got.Full || got.Counts != (counts{Agents: 5}) {
				t.Errorf("full: %+v", got)
			}
		})
	}
}

// A sync that could not look at the relay says so, though every row is right.
func TestSyncSaysThatTheRelayIsDegraded(t *testing.T) {
	for name, served := range map[string]bool{"through the daemon": true, "without a daemon": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("x/p1", "ONE", nil)
			w.want(0, "sync")
			if served {
				w.start()
			}
			if o := w.want(0, "sync"); strings.Contains(o.stdout, "but:") {
				t.Errorf("all is well: %s", o.stdout)
			}
			w.must(os.WriteFile(w.rules(), []byte("[oops"), 0o600))
			if o := w.want(0, "sync"); !strings.Contains(o.stdout, "but: the relay could not be looked at: ") || !strings.Contains(o.stdout, w.rules()) {
				t.Error(o.stdout)
			}
		})
	}
}

// The targets of a sync, and nobody else.
func TestSyncTargets(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	w.start()
	for i := range 2 {
		w.manifest(fmt.Sprintf("p%03d", i), agentID(i), fields{"description": "edited"})
	}
	for i, target := range []string{agentID(0), w.project("p001")} {
		if got := ask[syncView](w, 0, "sync", target); got.Counts.Synced != 1 {
			t.Errorf("%s: %+v", target, got.Counts)
		}
		w.awaitCell("description", agentID(i), "edited")
	}
	o := w.want(1, "sync", "NOBODY", "-o", "json")
	if e := decode[errorView](w, o.stderr); e.Error.Code != "notFound" || e.Error.Hint == "" {
		t.Errorf("error %+v", e)
	}
}

func TestSyncDryRun(t *testing.T) {
	for _, served := range []bool{true, false} {
		t.Run(fmt.Sprintf("daemon %t", served), func(t *testing.T) {
			w := newWorld(t)
			w.fleet(2)
			if served {
				w.start()
			} else {
				w.want(0, "sync")
			}
			if p := ask[planView](w, 0, "sync", "--dry-run"); len(p.Changes) > 0 {
				t.Errorf("in sync: %+v", p.Changes)
			}
			w.manifest("p000", agentID(0), fields{"description": "edited"})
			before := w.tree()
			p := ask[planView](w, 2, "sync", "--dry-run")
			if len(p.Changes) != 1 || p.Changes[0].ID != agentID(0) || p.Changes[0].Reason != "Drifted" {
				t.Errorf("changes %+v", p.Changes)
			}
			if diff := cmp.Diff(before, w.tree()); diff != "" {
				t.Errorf("it wrote (-before +after):\n%s", diff)
			}
		})
	}
}

// A one-shot removal needs no settling: a second look replaces it.
func TestSyncRemovesWhoseGraceIsOver(t *testing.T) {
	w := newWorld(t, "orphan-grace", "10ms")
	w.fleet(2)
	w.want(0, "sync")
	w.remove(w.project("p001"))
	if got := ask[syncView](w, 0, "sync"); got.Counts.Unreachable+got.Counts.Removed != 1 {
		t.Errorf("first: %+v", got.Counts)
	}
	time.Sleep(20 * time.Millisecond)
	ask[syncView](w, 0, "sync")
	if got := w.cell("SELECT count(*) FROM agents"); got != "1" {
		t.Errorf("%s rows are left", got)
	}
}
