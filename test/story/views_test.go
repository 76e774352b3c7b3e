package story

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

var (
	instants = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	stamps   = regexp.MustCompile(`\d{8}T\d{6}\.\d{3}Z`)
)

// since is a time of the story.
func (s *story) since(t time.Time) string {
	d := t.Sub(s.began).Round(time.Second)
	if d < 0 {
		return d.String()
	}
	return "+" + d.String()
}

// plain makes text the same on every run: paths below the world, times from the
// story's beginning. Times long before it are the story's own.
func (s *story) plain(text string) string {
	text = strings.ReplaceAll(text, s.w.Dir+"/", "")
	text = instants.ReplaceAllStringFunc(text, func(m string) string {
		t := agent.ParseTime(m)
		if t.Before(s.began.Add(-time.Hour)) {
			return m
		}
		return s.since(t)
	})
	return stamps.ReplaceAllStringFunc(text, func(m string) string {
		t, err := time.Parse("20060102T150405.000Z", m)
		s.must(err)
		return s.since(t)
	})
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func doAgents(s *story, _ []string) []string {
	var list []string
	for _, a := range s.w.Agents().Agents {
		l := fmt.Sprintf("%s %s %s %s", a.ID, a.Status, a.Reason, a.ProjectPath)
		if t := time.Time(a.MissingSince); !t.IsZero() {
			l += " missing " + s.since(t)
		}
		if t := time.Time(a.RemoveAt); !t.IsZero() {
			l += " remove " + s.since(t)
		}
		if h := a.Hold; h != nil {
			l += " hold " + string(h.Reason)
			if t := time.Time(h.Until); !t.IsZero() {
				l += " until " + s.since(t)
			}
		}
		if !a.Endpoint {
			l += " (no endpoint)"
		}
		if len(a.DuplicatePaths) > 0 {
			l += " copies " + strings.Join(a.DuplicatePaths, " ")
		}
		list = append(list, s.plain(l))
	}
	slices.Sort(list)
	return list
}

func doProblems(s *story, _ []string) []string {
	var list []string
	for _, p := range s.w.Agents().Problems {
		id := ""
		if p.AgentID != nil {
			id = string(*p.AgentID)
		}
		list = append(list, s.plain(fmt.Sprintf("%s %s %s since %s: %s", p.Path, p.Reason, orDash(id), s.since(time.Time(p.Since)), p.Message)))
	}
	return list
}

func doEndpoints(s *story, _ []string) []string { return s.names("home/relay/mailboxes") }

func (s *story) names(dir string) []string {
	entries, err := os.ReadDir(s.path(dir))
	if err != nil && !os.IsNotExist(err) {
		s.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func doRules(s *story, _ []string) []string {
	data, err := os.ReadFile(s.path("home/relay/access-rules.json"))
	if os.IsNotExist(err) {
		return nil
	}
	s.must(err)
	var rules []map[string]any
	if err := json.Unmarshal(data, &rules); err != nil {
		return []string{fmt.Sprintf("not JSON: %q", data)}
	}
	var list []string
	for _, r := range rules {
		l := fmt.Sprintf("%v %v: %v -> %v", r["priority"], r["action"], r["from"], r["to"])
		for _, k := range []string{"from", "to", "action", "priority"} {
			delete(r, k)
		}
		if len(r) > 0 {
			l += fmt.Sprintf(" %v", r)
		}
		list = append(list, l)
	}
	return list
}

// doLetters lists every letter with its mailbox.
func doLetters(s *story, _ []string) []string {
	var list []string
	for _, dir := range []string{"mailboxes", "removed"} {
		found, err := filepath.Glob(s.path("home/relay/" + dir + "/*/*/*"))
		s.must(err)
		for _, f := range found {
			list = append(list, s.plain(strings.TrimPrefix(f, s.path("home/relay/"))))
		}
	}
	return list
}

func doCounts(s *story, _ []string) []string {
	if s.last == nil {
		s.Fatal("counts of which sync?")
	}
	c := s.last.Counts
	l := ""
	for _, n := range []struct {
		name  string
		value int
	}{
		{"agents", c.Agents},
		{"discovered", c.Discovered},
		{"synced", c.Synced},
		{"relocated", c.Relocated},
		{"unreachable", c.Unreachable},
		{"resurrected", c.Resurrected},
		{"removed", c.Removed},
		{"duplicates", c.Duplicates},
		{"invalid", c.Invalid},
		{"unknown", c.Unknown},
		{"held", c.Held},
		{"failed", c.Failed},
	} {
		if n.value != 0 {
			l += fmt.Sprintf(" %s=%d", n.name, n.value)
		}
	}
	if !s.last.Converged {
		l += " not converged"
	}
	list := []string{strings.TrimSpace(l)}
	for _, f := range s.last.Failures {
		list = append(list, s.plain(fmt.Sprintf("%s %s %s: %s", f.ID, f.Path, f.Reason, f.Message)))
	}
	return list
}

func doEvents(s *story, args []string) []string {
	f := agent.EventFilter{}
	if len(args) > 0 {
		f.ID = agent.ID(args[0])
	}
	index, err := store.Open(s.Context(), store.Options{Path: store.DefaultPath(s.w.Home), ReadOnly: true, Now: s.w.Boot.Now})
	s.must(err)
	events, err := index.Events(s.Context(), f)
	s.must(err)
	s.must(index.Close())
	var list []string
	for _, e := range events {
		l := s.since(e.At) + " "
		if f.ID == "" {
			l += orDash(string(e.ID)) + " "
		}
		list = append(list, s.plain(l+fmt.Sprintf("%s %s: %s", e.Reason, e.Path, e.Message)))
	}
	if len(args) == 0 {
		slices.SortStableFunc(list, strings.Compare) // two workers take turns as they please
	}
	return list
}

func doPlan(s *story, args []string) []string {
	at := time.Time{}
	if len(args) > 0 {
		at = s.w.Boot.Now().Add(s.duration(args[0]))
	}
	var list []string
	for _, c := range s.w.Plan(at).Changes {
		l := fmt.Sprintf("%s %s %s", orDash(string(c.ID)), c.Reason, c.Path)
		if t := time.Time(c.RemoveAt); !t.IsZero() {
			l += " remove " + s.since(t)
		}
		list = append(list, s.plain(l))
		for _, a := range c.Actions {
			list = append(list, s.plain("  "+actionText(a)))
		}
	}
	return list
}

func actionText(a controller.PlanAction) string {
	l := a.Type
	value := func(p *string) string {
		if p == nil {
			return "null"
		}
		return *p
	}
	if a.Field != nil {
		return l + " " + *a.Field + ": " + value(a.From) + " -> " + value(a.To)
	}
	if a.From != nil {
		l += " from " + *a.From
	}
	if a.To != nil {
		l += " to " + *a.To
	}
	return l
}

// query reads the index as anybody else would.
func (s *story) query(sql string) []string {
	s.Helper()
	db, err := sqlite3.OpenFlags("file:"+store.DefaultPath(s.w.Home)+"?mode=ro&immutable=1", sqlite3.OPEN_READONLY|sqlite3.OPEN_URI)
	s.must(err)
	defer db.Close()
	st, _, err := db.Prepare(sql)
	s.must(err)
	defer st.Close()
	var list []string
	for st.Step() {
		var cells []string
		for i := range st.ColumnCount() {
			text := st.ColumnText(i)
			switch st.ColumnType(i) {
			case sqlite3.NULL:
				text = "null"
			case sqlite3.BLOB:
				text = "blob"
			}
			cells = append(cells, text)
		}
		list = append(list, s.plain(strings.Join(cells, " | ")))
	}
	s.must(st.Err())
	return list
}

func doRows(s *story, args []string) []string {
	return s.query("SELECT " + strings.Join(args, " ") + " FROM agents ORDER BY id")
}

func doLeft(s *story, _ []string) []string {
	return s.query("SELECT namespace FROM mesh_controller_left ORDER BY namespace")
}

func doTombstones(s *story, _ []string) []string {
	return s.query("SELECT agent_id, reason, at FROM mesh_controller_tombstones ORDER BY agent_id")
}
