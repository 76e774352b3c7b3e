package samples

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// query reads the database as anybody else would.
func (s *sample) query(sql string, each func(*sqlite3.Stmt)) {
	s.Helper()
	db, err := sqlite3.OpenFlags("file:"+filepath.Join(s.dir, "home/dork.db")+"?mode=ro&immutable=1", sqlite3.OPEN_READONLY|sqlite3.OPEN_URI)
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	st, _, err := db.Prepare(sql)
	if err != nil {
		s.Fatal(err)
	}
	defer st.Close()
	for st.Step() {
		each(st)
	}
	if err := st.Err(); err != nil {
		s.Fatal(err)
	}
}

// rows of agents: every column by name, NULL as "<null>".
func (s *sample) rows() map[string]map[string]string {
	s.Helper()
	rows := map[string]map[string]string{}
	s.query("SELECT * FROM agents", func(st *sqlite3.Stmt) {
		row := map[string]string{}
		for i := range st.ColumnCount() {
			row[st.ColumnName(i)] = st.ColumnText(i)
			if st.ColumnType(i) == sqlite3.NULL {
				row[st.ColumnName(i)] = "<null>"
			}
		}
		rows[row["id"]] = row
	})
	return rows
}

// foreign is the schema and content of everything that is neither agents' rows
// nor ours.
func (s *sample) foreign() []string {
	s.Helper()
	var dump, tables []string
	s.query("SELECT name, coalesce(sql, ''), type FROM sqlite_master WHERE tbl_name NOT LIKE 'mesh_controller_%' ORDER BY name", func(st *sqlite3.Stmt) {
		dump = append(dump, st.ColumnText(0)+": "+st.ColumnText(1))
		if st.ColumnText(2) == "table" && st.ColumnText(0) != "agents" {
			tables = append(tables, st.ColumnText(0))
		}
	})
	for _, table := range tables {
		if strings.Contains(table, "fts") {
			continue // the content of a full-text index is its own business
		}
		s.query(fmt.Sprintf("SELECT * FROM %q", table), func(st *sqlite3.Stmt) {
			var row []string
			for i := range st.ColumnCount() {
				row = append(row, st.ColumnText(i))
			}
			dump = append(dump, table+" "+strings.Join(row, "|"))
		})
	}
	return dump
}

// checkRows compares each row with what the page says becomes of it.
func (s *sample) checkRows(before map[string]map[string]string) {
	s.Helper()
	after := s.rows()
	for _, a := range s.agents {
		id := a["id"]
		switch a["row"] {
		case "same":
			if diff := cmp.Diff(before[id], after[id]); diff != "" {
				s.Errorf("row of %s (-before +after):\n%s", a["agent"], diff)
			}
		case "kept":
			want := map[string]string{}
			maps.Copy(want, before[id])
			want["status"] = agent.Unreachable
			want["updated_at"] = after[id]["updated_at"]
			if diff := cmp.Diff(want, after[id]); diff != "" {
				s.Errorf("row of %s (-want +got):\n%s", a["agent"], diff)
			}
		case "displaced", "gone", "none":
			if after[id] != nil {
				s.Errorf("row of %s is there: %v", a["agent"], after[id])
			}
		case "file":
			s.checkFile(a, before[id], after[id])
		default:
			s.Errorf("%s: row %q is not known", a["agent"], a["row"])
		}
		delete(after, id)
	}
	for id := range after {
		s.Errorf("a row that nobody expects: %v", after[id])
	}
}

// checkFile compares a row with the manifest at its path, column by column.
func (s *sample) checkFile(a, before, after map[string]string) {
	s.Helper()
	if after == nil {
		s.Errorf("%s has no row", a["agent"])
		return
	}
	path := s.path(a["path"])
	data, err := os.ReadFile(filepath.Join(path, ".dork/agent.json"))
	if err != nil {
		s.Error(err)
		return
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		s.Error(err)
		return
	}
	text := func(key, absent string) string {
		if v, ok := m[key]; ok {
			return fmt.Sprint(v)
		}
		return absent
	}
	want := map[string]string{
		"name": text("name", ""), "runtime": text("runtime", ""), "project_path": path, "namespace": a["namespace"],
		"description": text("description", ""), "status": "active",
		"display_name": text("displayName", "<null>"), "persona": text("persona", "<null>"), "color": text("color", "<null>"),
		"icon": text("icon", "<null>"), "model": text("model", "<null>"), "account": text("account", "<null>"),
		"traits_json": "<null>", "conventions_json": "<null>", "entrypoint": "<null>", "version": "<null>",
	}
	if effort := text("effort", "<null>"); effort == "extreme" {
		want["effort"] = "<null>"
	} else {
		want["effort"] = effort
	}
	want["persona_enabled"] = map[string]string{"true": "1", "false": "0"}[text("personaEnabled", "true")]
	want["is_system"] = map[string]string{"true": "1", "false": "0"}[text("isSystem", "false")]
	capabilities, _ := json.Marshal(m["capabilities"])
	if m["capabilities"] == nil {
		capabilities = []byte("[]")
	}
	want["capabilities_json"] = string(capabilities)
	if before != nil {
		for _, k := range []string{"registered_at", "approver", "last_seen_at", "last_seen_event"} {
			want[k] = before[k]
		}
	} else {
		want["registered_at"], want["approver"] = text("registeredAt", ""), text("registeredBy", "")
	}
	for k, v := range want {
		if got, ok := after[k]; ok && got != v {
			s.Errorf("%s: column %s is %q, want %q", a["agent"], k, got, v)
		}
	}
}

// checkAgents compares what `agents` prints with the tables.
func (s *sample) checkAgents(r controller.AgentsResult, began time.Time) {
	s.Helper()
	byID := map[string]controller.AgentStatus{}
	for _, a := range r.Agents {
		byID[string(a.ID)] = a
	}
	for _, want := range s.agents {
		got, listed := byID[want["id"]]
		optional := want["row"] == "displaced" || want["row"] == "none" || want["row"] == "gone"
		if !listed {
			if !optional {
				s.Errorf("%s is not listed", want["agent"])
			}
			continue
		}
		s.checkAgent(want, &got, began)
	}
	for _, p := range s.problems {
		found := false
		for _, got := range r.Problems {
			id := ""
			if got.AgentID != nil {
				id = string(*got.AgentID)
			}
			if got.Path != s.path(p["path"]) || string(got.Reason) != p["reason"] || p["agent id"] != "" && id != p["agent id"] {
				continue
			}
			found = true
			if strings.Contains(p["listed"], "worktree") && !strings.Contains(got.Message, "worktree") {
				s.Errorf("problem at %s does not name the worktree: %s", p["path"], got.Message)
			}
		}
		if !found && !strings.HasPrefix(p["listed"], "may") {
			s.Errorf("problem %s at %s is not listed in %+v", p["reason"], p["path"], r.Problems)
		}
	}
}

func (s *sample) checkAgent(want map[string]string, got *controller.AgentStatus, began time.Time) {
	s.Helper()
	if want["status"] != "-" && want["status"] != "gone" && got.Status != want["status"] {
		s.Errorf("%s: status %s, want %s", want["agent"], got.Status, want["status"])
	}
	if want["after"] != "" && !allows(want["after"], string(got.Reason)) {
		s.Errorf("%s: reason %s, want %s", want["agent"], got.Reason, want["after"])
	}
	if got.ProjectPath != s.path(want["path"]) || got.Namespace != want["namespace"] {
		s.Errorf("%s: at %s in %s, want %s in %s", want["agent"], got.ProjectPath, got.Namespace, want["path"], want["namespace"])
	}
	if want["status"] == agent.Unreachable && want["row"] != "displaced" {
		since, until := time.Time(got.MissingSince), time.Time(got.RemoveAt)
		if since.Before(began.Add(-time.Second)) || since.After(time.Now()) {
			s.Errorf("%s: missing since %s, want the time of the sync", want["agent"], got.MissingSince)
		}
		if until.Sub(since) != 24*time.Hour && !(got.Reason == agent.ManifestMissing && until.IsZero()) {
			s.Errorf("%s: removed at %s, want 24 h after %s", want["agent"], got.RemoveAt, got.MissingSince)
		}
	}
}
