package agent_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// minimal is the smallest valid manifest.
const minimal = `{"id":"01A","name":"n","runtime":"codex","registeredAt":"2026-01-01T00:00:00Z","registeredBy":"me"}`

// with is the minimal manifest with more members at its end, on line 1.
func with(members string) string { return strings.TrimSuffix(minimal, "}") + "," + members + "}" }

// without is the minimal manifest without one of its members.
func without(member string) string {
	s := strings.Replace(minimal, member+",", "", 1)
	return strings.Replace(s, ","+member, "", 1)
}

// instead is the minimal manifest with one member replaced.
func instead(old, replacement string) string { return strings.Replace(minimal, old, replacement, 1) }

func TestDecodeDefaults(t *testing.T) {
	got, v := agent.DecodeManifest([]byte(minimal))
	if v != nil {
		t.Fatal(v)
	}
	want := &agent.Manifest{
		ID: "01A", Name: "n", Runtime: "codex", RegisteredAt: "2026-01-01T00:00:00Z", RegisteredBy: "me",
		Behavior:       agent.Behavior{ResponseMode: "always"},
		Budget:         agent.Budget{MaxHopsPerMessage: 5, MaxCallsPerHour: 100},
		PersonaEnabled: true,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestDecodeEverything(t *testing.T) {
	got, v := agent.DecodeManifest([]byte(benchManifest))
	if v != nil {
		t.Fatal(v)
	}
	want := &agent.Manifest{
		ID: "01JZ8Q4T7M3N5P6R8S9V0W1X2Y", Name: "billing", Runtime: "claude-code",
		RegisteredAt: "2026-03-05T02:53:07.420Z", RegisteredBy: "mesh",
		DisplayName:  new("Billing service"),
		Description:  "Keeps the ledger, the invoices and the reminders in order.",
		Capabilities: []string{"ledger", "invoices", "reminders", "code-review"},
		Behavior:     agent.Behavior{ResponseMode: "mention-only", EscalationThreshold: "0.75"},
		Budget:       agent.Budget{MaxHopsPerMessage: 5, MaxCallsPerHour: 100},
		Namespace:    "finance",
		Persona:      new("You are careful with money.\nNever round before the last step."), PersonaEnabled: true,
		Traits:      &agent.Traits{Verbosity: 2, Autonomy: 4, Chaos: 1, Creativity: 3, Humor: 2, Spice: 1},
		Conventions: &agent.Conventions{Soul: true, Nope: true},
		Color:       new("#3b82f6"), Icon: new("💶"), Model: new("large"), Effort: new("high"),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestDecodeAccepts(t *testing.T) {
	for _, c := range accepted {
		t.Run(c.name, func(t *testing.T) {
			want := agent.NewManifest()
			want.ID, want.Name, want.Runtime = "01A", "n", "codex"
			want.RegisteredAt, want.RegisteredBy = "2026-01-01T00:00:00Z", "me"
			if c.want != nil {
				c.want(want)
			}
			got, v := agent.DecodeManifest([]byte(c.data))
			if v != nil {
				t.Fatal(v)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			m, v := agent.DecodeManifest([]byte(c.data))
			if v == nil {
				t.Fatalf("accepted: %+v", m)
			}
			if m != nil {
				t.Error("a manifest beside the violation")
			}
			if v.Field != c.field {
				t.Errorf("field %q, want %q (%v)", v.Field, c.field, v)
			}
			if !strings.Contains(v.Message, c.says) {
				t.Errorf("message %q does not say %q", v.Message, c.says)
			}
			if c.at != "" {
				if got := fmt.Sprintf("%d:%d", v.Line, v.Column); got != c.at {
					t.Errorf("place %s, want %s (%v)", got, c.at, v)
				}
			}
		})
	}
}

func TestViolationReads(t *testing.T) {
	_, v := agent.DecodeManifest([]byte("{\n  \"id\": \"01A\",\n  \"capabilities\": {}\n}"))
	const want = "line 3, column 19: capabilities: expected an array, found an object"
	if v.Error() != want {
		t.Errorf("got  %q\nwant %q", v.Error(), want)
	}
}

func TestViolationIsBounded(t *testing.T) {
	long := strings.Repeat("\u202e€", 10000)
	for _, data := range []string{
		instead(`"01A"`, `"`+long+`"`),
		instead(`"codex"`, `"`+long+`"`),
		instead(`"n"`, strings.Repeat("9", 10000)),
		with(`"` + long + `":{"a":1,"a":2}`),
		with(`"ab":1,"aB":2`),
		with(`"` + long + `":1,"` + long + `":2`),
	} {
		_, v := agent.DecodeManifest([]byte(data))
		if v == nil {
			t.Fatalf("accepted %.80s", data)
		}
		if len(v.Error()) > 1200 {
			t.Errorf("%d bytes: %.200s", len(v.Error()), v.Error())
		}
		if strings.Contains(v.Error(), "\u202e") {
			t.Errorf("an unescaped control character: %.200s", v.Error())
		}
	}
}

// A source reuses its buffer: what was decoded must not change with it.
func TestDecodeDoesNotAlias(t *testing.T) {
	data := []byte(benchManifest)
	m, v := agent.DecodeManifest(data)
	if v != nil {
		t.Fatal(v)
	}
	for i := range data {
		data[i] = 'x'
	}
	want, _ := agent.DecodeManifest([]byte(benchManifest))
	if d := cmp.Diff(want, m); d != "" {
		t.Errorf("the manifest changed with the buffer (-want +got)\n%s", d)
	}
}
