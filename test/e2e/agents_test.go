package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAgents(t *testing.T) {
	w := troubled(t)
	w.fitsAgents(ask[any](w, 0, "agents"))

	list := ask[agentsView](w, 0, "agents")
	got := map[string]string{}
	for _, a := range list.Agents {
		got[a.ID] = a.Status + " " + a.Reason
		gone := a.Status == "unreachable"
		if (a.MissingSince != nil) != gone || (a.RemoveAt != nil) != gone {
			t.Errorf("absence of %+v", a)
		}
		if a.Hold != nil {
			t.Errorf("held: %+v", a)
		}
		if want := "relay.agent." + a.Namespace + "." + a.ID; a.RelaySubject != want {
			t.Errorf("subject %s, want %s", a.RelaySubject, want)
		}
	}
	want := map[string]string{
		agentID(0): "active DuplicateID", agentID(1): "active ManifestInvalid", agentID(2): "unreachable PathMissing",
		agentID(3): "active InSync", agentID(4): "active InSync",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("agents (-want +got):\n%s", diff)
	}
	if a := w.agent(agentID(0)); !slices.Equal(a.DuplicatePaths, []string{w.project("copy")}) {
		t.Errorf("copies %v", a.DuplicatePaths)
	}
	problems := map[string]string{}
	for _, p := range list.Problems {
		problems[p.Path] = p.Reason + " " + orNull(p.AgentID)
	}
	want = map[string]string{
		w.project("copy"): "DuplicateID " + agentID(0), w.project("p001"): "ManifestInvalid " + agentID(1),
	}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if again := ask[agentsView](w, 0, "agents"); !cmp.Equal(list, again) {
		t.Errorf("another process says otherwise:\n%s", cmp.Diff(list, again))
	}
}

func TestAgentsFilters(t *testing.T) {
	w := troubled(t)
	for _, c := range []struct {
		args string
		want []string
	}{
		{"--status unreachable", []string{agentID(2)}},
		{"--status active", []string{agentID(0), agentID(1), agentID(3), agentID(4)}},
		{"--namespace p003", []string{agentID(3)}},
		{"--problems", []string{agentID(0), agentID(1), agentID(2)}},
		{agentID(4), []string{agentID(4)}},
		{w.project("p003"), []string{agentID(3)}},
		{"./projects/p003", []string{agentID(3)}},
		{"--namespace nobodys", nil},
	} {
		var got []string
		for _, a := range ask[agentsView](w, 0, append([]string{"agents"}, strings.Fields(c.args)...)...).Agents {
			got = append(got, a.ID)
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.args, diff)
		}
	}
	w.want(1, "agents", "NOBODY")
}

// The other forms say the same, in plain text: this is no terminal.
func TestAgentsForPeople(t *testing.T) {
	w := troubled(t)
	for _, form := range []string{"table", "wide", "yaml"} {
		o := w.want(0, "agents", "-o", form)
		for i := range 5 {
			if !strings.Contains(o.stdout, agentID(i)) {
				t.Errorf("-o %s does not name %s", form, agentID(i))
			}
		}
		if strings.Contains(o.stdout, "\x1b") || o.stderr != "" {
			t.Errorf("-o %s: colours, or messages: %s", form, o.stderr)
		}
	}
}

// What was printed goes on being printed as it changes, until interrupted.
func TestWatch(t *testing.T) {
	for _, args := range [][]string{{"agents", "-w"}, {"events", "-f"}, {"events", "-f", "-o", "json"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			w := newWorld(t)
			w.fleet(1)
			w.want(0, "sync")
			f := w.follow(args...)
			f.says(agentID(0))
			w.manifest("p001", agentID(1), nil)
			w.want(0, "sync")
			f.says(agentID(1))
			if code := f.interrupt(); code != 130 {
				t.Errorf("exit code %d, want 130", code)
			}
		})
	}
}

func TestEvents(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	w.want(0, "sync")
	w.manifest("p000", agentID(0), fields{"description": "edited"})
	w.want(0, "sync")
	w.move(w.project("p000"), w.project("moved"))
	w.want(0, "sync")
	w.move(w.project("moved"), w.path("bin/moved"))
	w.want(0, "sync")
	w.move(w.path("bin/moved"), w.project("moved"))
	w.want(0, "sync")
	want := []string{"Discovered", "Drifted", "Relocated", "PathMissing", "Resurrected"}
	if diff := cmp.Diff(want, w.reasons(agentID(0))); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	o := shape{"apiVersion": "text", "events": "list"}.fits(t, "events", ask[any](w, 0, "events"))
	eventShape.each(t, "event", o["events"])
	all := ask[eventsView](w, 0, "events").Events
	if len(all) != 6 || !slices.IsSortedFunc(all, func(a, b eventView) int { return strings.Compare(a.At, b.At) }) {
		t.Errorf("all events, oldest first: %+v", all)
	}
	last := all[len(all)-1]
	for _, c := range []struct {
		since string
		n     int
	}{{"1h", 6}, {"0s", 0}, {last.At, 1}, {"2999-01-01T00:00:00Z", 0}} {
		if got := ask[eventsView](w, 0, "events", "--since", c.since).Events; len(got) != c.n {
			t.Errorf("--since %s: %d events, want %d: %+v", c.since, len(got), c.n, got)
		}
	}
	if lines := strings.Count(w.want(0, "events", agentID(1)).stdout, "\n"); lines != 1 {
		t.Errorf("%d lines of one event", lines)
	}
}

type explanation struct {
	ID, Path string
	Agent    *agentView
	File     struct{ Path, Evidence string }
	Fields   []struct {
		Field     string
		File, Row *string
		Same      bool
	}
	Relay    struct{ Rules string }
	Next     []changeView
	Problems []problemView
	Events   []eventView
}

// says is what a state of an agent reads like.
func (e *explanation) says() string {
	row := "no row"
	if e.Agent != nil {
		row = e.Agent.Status + " " + e.Agent.Reason
		if e.Agent.Hold != nil {
			row += " held " + e.Agent.Hold.Reason
		}
	}
	next := "nothing"
	if len(e.Next) > 0 {
		next = e.Next[0].Reason
	}
	problem := "no problem"
	if len(e.Problems) > 0 {
		problem = e.Problems[0].Reason
	}
	return fmt.Sprintf("%s | %s | %s | %s", e.File.Evidence, row, next, problem)
}

// Every state that an agent can be brought into from outside, by id and by path.
func TestExplain(t *testing.T) {
	w := newWorld(t)
	w.fleet(10)
	w.want(0, "sync")
	w.remove(manifestOf(w.project("p001")))
	w.remove(w.project("p002"))
	w.write(manifestOf(w.project("p003")), "{")
	w.copyProject("p004", "copy")
	w.manifest("p005", "THIEF", nil)
	w.want(0, "sync")
	w.manifest("p007", agentID(7), fields{"description": "edited"})
	w.move(w.project("p008"), w.project("moved"))
	w.manifest("p009", agentID(9), fields{"namespace": "team"})
	w.manifest("new", "NEW", nil)

	for _, c := range []struct{ name, id, path, want string }{
		{"in sync", agentID(0), "p000", "Present | active InSync | nothing | no problem"},
		{"no manifest", agentID(1), "p001", "ManifestMissing | unreachable ManifestMissing | nothing | no problem"},
		{"no directory", agentID(2), "p002", "PathMissing | unreachable PathMissing | nothing | no problem"},
		{"invalid", agentID(3), "p003", "Invalid | active ManifestInvalid | nothing | ManifestInvalid"},
		{"copied", agentID(4), "p004", "Present | active DuplicateID | nothing | DuplicateID"},
		{"the copy", "", "copy", "Present | active DuplicateID | nothing | DuplicateID"},
		{"displaced", agentID(5), "", "OtherAgent | unreachable Displaced | nothing | no problem"},
		{"who displaced it", "THIEF", "p005", "Present | active InSync | nothing | no problem"},
		{"edited", agentID(7), "p007", "Present | active InSync | Drifted | no problem"},
		{"moved", agentID(8), "moved", "PathMissing | active InSync | Relocated | no problem"},
		{"another namespace", agentID(9), "p009", "Present | active InSync | NamespaceChanged | no problem"},
		{"new", "NEW", "new", "Present | no row | Discovered | no problem"},
	} {
		for _, target := range []string{c.id, c.path} {
			if target == "" {
				continue
			}
			if target == c.path {
				target = w.project(c.path)
			}
			e := ask[explanation](w, 0, "explain", target)
			if got := e.says(); got != c.want {
				t.Errorf("%s, by %s\n got %s\nwant %s", c.name, target, got, c.want)
			}
			o := w.want(0, "explain", target)
			if !strings.Contains(o.stdout, e.ID) || !strings.Contains(o.stdout, e.File.Evidence) {
				t.Errorf("%s, for people:\n%s", c.name, o.stdout)
			}
		}
	}
	w.want(1, "explain", "NOBODY")
	w.want(1, "explain", w.project("nowhere"))

	e := ask[explanation](w, 0, "explain", agentID(7))
	if i := slices.IndexFunc(e.Next[0].Actions, func(a actionView) bool { return a.Type == "updateRow" }); i < 0 {
		t.Errorf("next %+v", e.Next)
	}
	for _, f := range e.Fields {
		if f.Same != (f.Field != "description") {
			t.Errorf("field %+v", f)
		}
	}
	if len(e.Events) != 1 || e.Events[0].Reason != "Discovered" || e.Relay.Rules != "2 of 2" {
		t.Errorf("%+v", e)
	}
}

// A place that `agents --problems` lists can be explained, though no row and no
// id is there.
func TestExplainRefusedPlace(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	w.want(0, "sync")
	w.sql("INSERT INTO mesh_controller_denials (path, created_at) VALUES (?, ?)", w.project("p000"), "2026-01-02T03:04:05.000Z")
	w.write(manifestOf(w.project("new")), "{")
	w.want(0, "sync")
	for path, want := range map[string]string{"p000": "Denied", "new": "ManifestInvalid"} {
		e := ask[explanation](w, 0, "explain", w.project(path))
		if e.Agent != nil || len(e.Problems) != 1 || e.Problems[0].Reason != want {
			t.Errorf("%s: %+v", path, e)
		}
	}
}

// Much of a root vanishes at once: held when the grace is over, until when, and
// visibly.
func TestMassDisappearance(t *testing.T) {
	w := newWorld(t, "orphan-grace", "1s", "settle", "10ms", "mass-missing-hold", "1h", "resync-interval", "300ms")
	w.fleet(8)
	d := w.start()
	for i := range 6 {
		w.remove(w.project(fmt.Sprintf("p%03d", i)))
	}
	eventually(t, func() error {
		m := d.scrape()
		if n := m[`mesh_controller_orphans_held{reason="mass_missing"}`]; n != 6 {
			return fmt.Errorf("%v held by reason", n)
		}
		if n := m[`mesh_controller_orphans{state="held"}`]; n != 6 || m[`mesh_controller_orphans{state="grace"}`] != 0 {
			return fmt.Errorf("%v held", n)
		}
		return nil
	})
	if s := ask[syncView](w, 0, "sync"); s.Counts != (counts{Agents: 8, Held: 6}) || !s.Converged {
		t.Errorf("sync %+v", s)
	}
	for i := range 6 {
		a := w.agent(agentID(i))
		if a.Hold == nil || a.Hold.Reason != "MassMissing" || a.Hold.Until == nil || a.Status != "unreachable" {
			t.Errorf("%+v", a)
		}
	}
	list, _ := ask[map[string]any](w, 0, "agents", agentID(0))["agents"].([]any)
	one := agentShape.fits(t, "agent", list[0])
	holdShape.fits(t, "hold", one["hold"])
	if e := ask[explanation](w, 0, "explain", agentID(0)); !strings.HasPrefix(e.says(), "PathMissing | unreachable PathMissing held MassMissing") {
		t.Errorf("explain %s", e.says())
	}
	if p := ask[planView](w, 2, "plan", "--at", "+2h"); len(p.Changes) != 6 || !slices.Contains(p.Changes[0].types(), "removeRow") {
		t.Errorf("plan %+v", p)
	}
}
