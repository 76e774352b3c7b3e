package store

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestEvents(t *testing.T) {
	s := openNew(t)
	var want []agent.Event
	for i := range 5 {
		id := agent.ID(strconv.Itoa(i % 2))
		e := agent.Event{At: t0.Add(time.Duration(i) * time.Minute), ID: id, Reason: agent.Drifted, Path: "/r", Message: "m" + strconv.Itoa(i)}
		want = append(want, e)
		commit(t, s, agent.Change{ID: id, At: at(0), Events: []agent.Event{e}})
	}
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		filter agent.EventFilter
		want   []agent.Event
	}{
		{agent.EventFilter{}, want},
		{agent.EventFilter{ID: "1"}, []agent.Event{want[1], want[3]}},
		{agent.EventFilter{Since: t0.Add(3 * time.Minute)}, want[3:]},
		{agent.EventFilter{Limit: 2}, want[3:]},
		{agent.EventFilter{ID: "0", Since: t0.Add(time.Minute), Limit: 1}, want[4:]},
		{agent.EventFilter{ID: "none"}, nil},
	} {
		got, err := s.Events(t.Context(), tt.filter)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v: %s", tt.filter, diff)
		}
	}
	if s.c != nil {
		t.Error("a glance left the connection open")
	}
}

func TestRetention(t *testing.T) {
	s := openNew(t)
	bury := func(id string, d time.Duration) {
		t.Helper()
		commit(t, s, agent.Change{
			ID: agent.ID(id), At: at(d),
			Bury:   &agent.Tombstone{Reason: agent.Displaced, At: t0.Add(d), Record: *record(id, "/r/"+id)},
			Events: []agent.Event{{At: t0.Add(d), ID: agent.ID(id), Reason: agent.Displaced}},
		})
	}
	bury("old", 0)
	bury("held", 0)
	commit(t, s, agent.Change{ID: "held", At: at(0), SetState: true, State: &agent.State{MissingSince: t0, Clock: at(0)}})
	bury("new", 20*24*time.Hour)
	sqlite(t, s.path, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 12000)
		INSERT INTO mesh_controller_events (at, reason) SELECT '2026-12-09T00:00:00.000Z', 'Drifted' FROM n`)
	// A change that changes nothing purges nothing.
	commit(t, s, agent.Change{ID: "new", At: at(31 * 24 * time.Hour), SetProblems: true})
	if got := selectText(t, s.path, `SELECT count(*) FROM mesh_controller_tombstones`); got[0] != "3" {
		t.Error("a quiet sweep purged")
	}
	bury("newer", 31*24*time.Hour)
	got := selectText(t, s.path, `SELECT agent_id FROM mesh_controller_tombstones ORDER BY 1`)
	if diff := cmp.Diff([]string{"held", "new", "newer"}, got); diff != "" {
		t.Error(diff)
	}
	got = selectText(t, s.path, `SELECT count(*) || ' ' || (SELECT agent_id FROM mesh_controller_events ORDER BY seq DESC LIMIT 1) FROM mesh_controller_events`)
	if got[0] != "10000 newer" {
		t.Error(got)
	}
}
