package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestChangesAreThoseOfOthers(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/a"), insert("b", "/r/b"), insert("c", "/r/c"))
	expect := func(want ...agent.ID) *agent.IndexListing {
		t.Helper()
		l, changed := list(t, s)
		if diff := cmp.Diff(want, changed); diff != "" {
			t.Error(diff)
		}
		return l
	}
	first := expect("a", "b", "c") // compared with nothing
	if expect() != first {
		t.Error("another listing of the same")
	}
	commit(t, s, insert("d", "/r/d"))
	row := rowOf(t, s, "a")
	commit(t, s, agent.Change{
		ID: "a", At: at(0), Expected: row, Op: agent.UpdateRow,
		Row: edited(row, func(r *agent.Record) { r.Status = agent.Unreachable }),
	})
	commit(t, s, agent.Change{
		ID: "b", At: at(0), Expected: rowOf(t, s, "b"), Op: agent.RemoveRow, SetState: true,
		State: &agent.State{MissingSince: t0, Clock: at(0)},
	})
	l := expect()
	if len(l.Entries) != 3 || l.Entries[0].Status != agent.Unreachable || l.Entries[2].ID != "d" {
		t.Errorf("%+v", l.Entries)
	}
	sqlite(t, s.path, `UPDATE agents SET updated_at = 'now', last_seen_at = 'now'`)
	expect()
	sqlite(t, s.path, `UPDATE agents SET persona = 'x' WHERE id = 'd'; DELETE FROM agents WHERE id = 'c'`)
	expect("c", "d")
	sqlite(t, s.path, `UPDATE agents SET persona = x'78' WHERE id = 'd'`)
	expect("d")
	sqlite(t, s.path, `UPDATE mesh_controller_agents SET clock_since = '2026-01-01T00:00:00.000Z' WHERE agent_id = 'b'`)
	expect("b")
	sqlite(t, s.path, `DELETE FROM mesh_controller_agents`)
	expect("b")
	expect()
}

// An own write hides nobody else's: what was there before it counts, what came
// after it counts.
func TestOwnCommitHidesNothing(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/a"), insert("b", "/r/b"))
	list(t, s)
	sqlite(t, s.path, `UPDATE agents SET name = 'theirs' WHERE id = 'b'`)
	row := rowOf(t, s, "a")
	commit(t, s, agent.Change{
		ID: "a", At: at(0), Expected: row, Op: agent.UpdateRow,
		Row: edited(row, func(r *agent.Record) { r.Status = agent.Unreachable }),
	})
	sqlite(t, s.path, `UPDATE agents SET status = 'active' WHERE id = 'a'`)
	if _, changed := list(t, s); !cmp.Equal(changed, []agent.ID{"a", "b"}) {
		t.Error(changed)
	}
}

func TestFailedCommitIsDoubted(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/a"))
	list(t, s)
	sqlite(t, s.path, `CREATE TRIGGER no BEFORE INSERT ON mesh_controller_events BEGIN SELECT RAISE(ABORT, 'no'); END`)
	row := rowOf(t, s, "a")
	ch := agent.Change{
		ID: "a", At: at(0), Expected: row, Op: agent.UpdateRow, Events: []agent.Event{{Reason: agent.Drifted}},
		Row: edited(row, func(r *agent.Record) { r.Status = agent.Unreachable }),
	}
	if _, err := s.Commit(t.Context(), []agent.Change{ch}); err == nil {
		t.Fatal("no error")
	}
	if _, changed := list(t, s); !cmp.Equal(changed, []agent.ID{"a"}) {
		t.Error(changed)
	}
	if got := rowOf(t, s, "a").Status; got != agent.Active {
		t.Error("half of a change landed:", got)
	}
}

// A cell that no column should hold is listed and repaired, and hurts no other.
func TestMalformedCells(t *testing.T) {
	s := openNew(t)
	commit(t, s, insert("a", "/r/a"), insert("b", "/r/b"), insert("c", "/r/c"), insert("d", "/r/d"))
	good := rowOf(t, s, "b")
	sqlite(t, s.path, `
		UPDATE agents SET name = x'ff00', capabilities_json = '{{', behavior_json = '', is_system = 'yes', persona_enabled = 2.5,
			scan_root = x'2f72', status = x'00', description = NULL, last_seen_at = x'01', version = 1.5 WHERE id = 'a';
		UPDATE agents SET id = 'not/an.id' WHERE id = 'c';
		UPDATE agents SET id = x'6964', project_path = x'2f72' WHERE id = 'd';
		INSERT INTO mesh_controller_agents (agent_id, missing_since, mount_json) VALUES ('a', 'yesterday', '{'), ('b', x'00', NULL);
		INSERT INTO mesh_controller_tombstones VALUES ('z', 'Displaced', 'never', 'no json', '')`)
	l, _ := list(t, s)
	if len(l.Entries) != 4 {
		t.Fatalf("%+v", l.Entries)
	}
	if diff := cmp.Diff(good, rowOf(t, s, "b")); diff != "" {
		t.Error(diff)
	}
	was := rowOf(t, s, "a")
	if was.Fields[agent.FieldName] != (agent.Cell{Kind: agent.Other, Text: "x'ff00'"}) || was.ScanRoot != "x'2f72'" {
		t.Errorf("%+v", was)
	}
	// Displaced and brought back, then repaired.
	take := insert("e", "/r/a")
	take.Displaces = "a"
	commit(t, s, take)
	v := view(t, s, "a")
	if diff := cmp.Diff(*was, v.Tombstone.Record); diff != "" {
		t.Error(diff)
	}
	back := edited(record("a", "/r/new"), func(r *agent.Record) {
		r.LastSeenAt, r.Version = v.Tombstone.Record.LastSeenAt, v.Tombstone.Record.Version
	})
	commit(t, s, agent.Change{ID: "a", At: at(0), Op: agent.InsertRow, Row: back})
	got := rowOf(t, s, "a")
	if got.LastSeenAt != was.LastSeenAt {
		t.Errorf("%+v", got)
	}
	// The row whose id is no text still gives way at its path.
	sqlite(t, s.path, `UPDATE agents SET project_path = '/r/d' WHERE typeof(id) = 'blob'`)
	take = insert("f", "/r/d")
	take.Displaces = "x'6964'"
	commit(t, s, take)
	l, _ = list(t, s)
	var ids []agent.ID
	for _, e := range l.Entries {
		ids = append(ids, e.ID)
	}
	if diff := cmp.Diff([]agent.ID{"a", "b", "e", "f", "not/an.id"}, ids); diff != "" {
		t.Error(diff)
	}
}

// When nothing moved the database is not opened, and nothing is left of a scan.
func TestQuietListOpensNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mesh.db")
	s := open(t, Options{Path: path, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	commit(t, s, insert("a", "/r/a"))
	list(t, s)
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	first, changed := list(t, s) // the own write moved it
	if len(changed) > 0 {
		t.Error(changed)
	}
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	before, err := lookAt(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l, changed := list(t, s)
		if l != first || changed != nil {
			t.Error("another listing of the same", changed)
		}
		if s.c != nil {
			t.Error("the database was opened")
		}
	}
	if after, _ := lookAt(path); after != before {
		t.Errorf("a quiet List wrote: %+v, %+v", before, after)
	}
	noSides(t, path)
	noHandles(t, path)
}

// Shortly after a write the stamps prove nothing.
func TestRacyListScans(t *testing.T) {
	s := openNew(t)
	list(t, s)
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	list(t, s)
	if s.c == nil {
		t.Error("a file written a moment ago was trusted")
	}
}

// What is written when a List has read everything but has not returned is told
// by the next, also where the racy rule does not help.
func TestWrittenAtTheEndOfAList(t *testing.T) {
	s := openNew(t)
	s.now = func() time.Time { return time.Now().Add(time.Hour) }
	commit(t, s, insert("a", "/r/a"))
	wrote := false
	err := s.c.db.Trace(sqlite3.TRACE_STMT, func(_ sqlite3.TraceEvent, _, sql any) error {
		if text, _ := sql.(string); strings.Contains(text, "mesh_controller_meta") && !wrote { // what is read last
			wrote = true
			sqlite(t, s.path, `UPDATE agents SET status = 'late'`)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	list(t, s)
	if !wrote {
		t.Fatal("nothing was written in between")
	}
	if l, changed := list(t, s); l.Entries[0].Status != "late" || !cmp.Equal(changed, []agent.ID{"a"}) {
		t.Error("missed for ever", changed)
	}
}

// A reader of another process makes an empty -wal: nothing has moved.
func TestEmptyWALIsNoChange(t *testing.T) {
	s := openNew(t)
	s.now = func() time.Time { return time.Now().Add(time.Hour) }
	first, _ := list(t, s)
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite3.Open(s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Exec(`SELECT * FROM agents`); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.path + "-wal"); err != nil {
		t.Fatal(err)
	}
	if l, _ := list(t, s); l != first || s.c != nil {
		t.Error("the database was opened")
	}
}
