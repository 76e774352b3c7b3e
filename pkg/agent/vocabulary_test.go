package agent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestIDFold(t *testing.T) {
	if a, b := agent.ID("01Ab_-").Fold(), agent.ID("01aB_-").Fold(); a != b {
		t.Errorf("%q and %q", a, b)
	}
	if a, b := agent.ID("a-b").Fold(), agent.ID("a_b").Fold(); a == b {
		t.Errorf("both are %q", a)
	}
}

func TestParseSubject(t *testing.T) {
	for _, c := range []struct {
		subject, namespace string
		id                 agent.ID
		ok                 bool
	}{
		{"relay.agent.team.01A", "team", "01A", true},
		{"relay.agent.codex-ns.a_B-", "codex-ns", "a_B-", true},
		{"relay.agent.codex.01A", "", "", false}, // a session of a runtime
		{"relay.agent.01A", "", "", false},
		{"relay.agent.team.01A.x", "", "", false},
		{"relay.agent.Team.01A", "", "", false},
		{"relay.agent.-team.01A", "", "", false},
		{"relay.agent.te_am.01A", "", "", false},
		{"relay.agent.team.*", "", "", false},
		{"relay.agent.team.>", "", "", false},
		{"relay.agent.*.01A", "", "", false},
		{"relay.agent.team.", "", "", false},
		{"relay.agent..01A", "", "", false},
		{"relay.inbox.team.01A", "", "", false},
		{"Relay.agent.team.01A", "", "", false},
		{"relay.agent.team." + strings.Repeat("a", 65), "", "", false},
		{"", "", "", false},
	} {
		namespace, id, ok := agent.ParseSubject(c.subject)
		if ok != c.ok || ok && (namespace != c.namespace || id != c.id) {
			t.Errorf("ParseSubject(%q) = %q, %q, %v", c.subject, namespace, id, ok)
		}
		if ok && string(agent.SubjectOf(namespace, id)) != c.subject {
			t.Errorf("%q does not survive the round trip", c.subject)
		}
	}
}

func TestElapsed(t *testing.T) {
	base := agent.Stamp{Wall: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), BootID: "a", Offset: 100 * time.Hour}
	at := func(boot string, wall, offset time.Duration) agent.Stamp {
		return agent.Stamp{Wall: base.Wall.Add(wall), BootID: boot, Offset: base.Offset + offset}
	}
	for _, c := range []struct {
		name string
		now  agent.Stamp
		want time.Duration
	}{
		{"no step", at("a", time.Hour, 0), time.Hour},
		{"a forward step does not count", at("a", 25*time.Hour, 24*time.Hour), time.Hour},
		{"a backward step is believed", at("a", -23*time.Hour, -24*time.Hour), -23 * time.Hour},
		{"another boot: only the wall clock is left", at("b", 25*time.Hour, -90*time.Hour), 25 * time.Hour},
		{"another boot with a larger offset", at("b", 25*time.Hour, 90*time.Hour), 25 * time.Hour},
		{"boot not known", at("", 25*time.Hour, 24*time.Hour), 25 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := base.Elapsed(c.now); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	unknown := agent.Stamp{Wall: base.Wall}
	if got := unknown.Elapsed(agent.Stamp{Wall: base.Wall.Add(time.Hour), Offset: time.Hour}); got != time.Hour {
		t.Errorf("two unknown boots are not the same boot: %v", got)
	}
}

func TestTimeRoundTrip(t *testing.T) {
	at := time.Date(2026, 3, 5, 3, 53, 7, 420_999_999, time.FixedZone("", 3600))
	s := agent.FormatTime(at)
	if s != "2026-03-05T02:53:07.420Z" {
		t.Errorf("FormatTime = %s", s)
	}
	if got := agent.ParseTime(s); !got.Equal(at.Truncate(time.Millisecond)) {
		t.Errorf("ParseTime = %v", got)
	}
	if s := agent.FormatTime(time.Time{}); s != "" {
		t.Errorf("the zero time is %q", s)
	}
	for _, bad := range []string{"", "yesterday", "2026-13-01T00:00:00Z"} {
		if got := agent.ParseTime(bad); !got.IsZero() {
			t.Errorf("ParseTime(%q) = %v", bad, got)
		}
	}
}

func TestRuleSetCovers(t *testing.T) {
	base := agent.RuleSet{Deny: true, Allow: true}
	whole := agent.RuleSet{Deny: true, Allow: true, SystemOut: true, SystemIn: true}
	for _, c := range []struct {
		name          string
		set           agent.RuleSet
		plain, system bool
	}{
		{"nothing", agent.RuleSet{}, false, false},
		{"deny only", agent.RuleSet{Deny: true}, false, false},
		{"base", base, true, false},
		{"base and one of the system's", agent.RuleSet{Deny: true, Allow: true, SystemIn: true}, true, false},
		{"all four", whole, true, true},
	} {
		if c.set.Covers(false) != c.plain || c.set.Covers(true) != c.system {
			t.Errorf("%s: %v, %v", c.name, c.set.Covers(false), c.set.Covers(true))
		}
	}
}

func TestRules(t *testing.T) {
	want := []agent.Rule{
		{From: "relay.agent.a.*", To: "relay.agent.>", Action: "deny", Priority: 10},
		{From: "relay.agent.a.*", To: "relay.agent.a.*", Action: "allow", Priority: 100},
		{From: "relay.agent.a.*", To: "relay.agent.>", Action: "allow", Priority: 200},
		{From: "relay.agent.>", To: "relay.agent.a.*", Action: "allow", Priority: 200},
	}
	got := append(agent.BaseRules("a"), agent.SystemRules("a")...)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestListingCompleteFor(t *testing.T) {
	l := agent.Listing{Roots: []agent.RootReport{
		{Path: "/code", Complete: true, Skipped: []string{"/code/db"}},
		{Path: "/code/slow"},
	}}
	for path, want := range map[string]bool{
		"/code/a": true, "/code/db": false, "/code/db/x": false, "/code/db2": true,
		"/code/slow/x": false, "/elsewhere": true,
	} {
		if got := l.CompleteFor(path); got != want {
			t.Errorf("CompleteFor(%q) = %v", path, got)
		}
	}
	if l.Complete() {
		t.Error("complete although a root is not")
	}
}

func TestStateEmpty(t *testing.T) {
	var none *agent.State
	for _, c := range []struct {
		name  string
		state *agent.State
		want  bool
	}{
		{"none", none, true},
		{"zero", &agent.State{ID: "a", Evidence: agent.Present}, true},
		{"missing", &agent.State{MissingSince: time.Unix(1, 0)}, false},
		{"a mount", &agent.State{Mount: agent.Mount{Point: "/"}}, false},
		{"paused", &agent.State{Paused: true}, false},
	} {
		if got := c.state.Empty(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestReasonsAreDistinct(t *testing.T) {
	seen := make(map[agent.Reason]bool)
	for _, r := range agent.Reasons() {
		if r == "" || seen[r] {
			t.Errorf("reason %q is empty or listed twice", r)
		}
		seen[r] = true
	}
}
