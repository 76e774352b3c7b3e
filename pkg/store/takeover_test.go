package store

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// DorkOS comes to a home of ours: what was remembered goes over, once.
func TestTakeOver(t *testing.T) {
	home := t.TempDir()
	mesh := newIndex(t, filepath.Join(home, "mesh.db"))
	ch := insert("a", "/r/a")
	ch.SetState, ch.State = true, &agent.State{MissingSince: t0, Clock: at(0), Evidence: agent.FileMissing}
	ch.Events = []agent.Event{{At: t0, ID: "a", Reason: agent.ManifestMissing}}
	ch.Left = []string{"gone"}
	commit(t, mesh.s, ch, agent.Change{ID: "z", At: at(0), Bury: &agent.Tombstone{Reason: agent.Removed, At: t0, Record: *record("z", "/r/z")}})
	if err := mesh.s.Deny(t.Context(), "/r/no", "", t0); err != nil {
		t.Fatal(err)
	}
	if n := mesh.s.Notices(); len(n) > 0 {
		t.Error(n)
	}
	dork := filepath.Join(home, "dork.db")
	sqlite(t, dork, "PRAGMA journal_mode = WAL;"+ledger+baseTable+seedColumns+baseRow+
		"CREATE TABLE agent_denials (id text PRIMARY KEY NOT NULL, path text NOT NULL, reason text, denier text, created_at text NOT NULL);")
	mesh.stop()
	before := tree(t, home)[mesh.path]
	mesh.start()
	if n := mesh.s.Notices(); len(n) != 1 || !strings.Contains(n[0], dork) {
		t.Error(n)
	}
	mesh.stop()

	x := newIndex(t, DefaultPath(home))
	if n := x.s.Notices(); len(n) != 1 || !strings.Contains(n[0], "took over") {
		t.Error(n)
	}
	l, _ := list(t, x.s)
	if l.Lost || !l.States["a"].MissingSince.Equal(t0) || !cmp.Equal(l.Left, []string{"gone"}) || !cmp.Equal(l.Denied, []string{"/r/no"}) {
		t.Errorf("%+v", l)
	}
	if stones, err := x.s.Tombstones(t.Context()); err != nil || len(stones) != 1 || stones[0].Record.Path != "/r/z" {
		t.Error(stones, err)
	}
	if events, err := x.s.Events(t.Context(), agent.EventFilter{}); err != nil || len(events) != 1 {
		t.Error(events, err)
	}
	commit(t, x.s, agent.Change{ID: "a", At: at(0), Expected: rowOf(t, x.s, "a"), SetState: true})
	x.stop()
	x.start()
	if l, _ := list(t, x.s); len(l.States) > 0 || len(x.s.Notices()) > 0 {
		t.Error("taken over twice")
	}
	if tree(t, home)[mesh.path] != before {
		t.Error("mesh.db was touched")
	}
	mesh.start() // for its cleanup
}
