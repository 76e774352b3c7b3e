package maildir

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

const (
	denyA  = `{"from":"relay.agent.a.*","to":"relay.agent.>","action":"deny","priority":10}`
	allowA = `{"from":"relay.agent.a.*","to":"relay.agent.a.*","action":"allow","priority":100}`
	high   = `{"from":"x","to":"y","action":"deny","priority":300}`
	middle = `{"from":"x","to":"y","action":"allow","priority":50,"note":"mine, \u00e9"}`
	low    = `{"from":"x","to":"y","action":"deny","priority":-1}`
)

func TestEditKeepsTheStyleOfTheFile(t *testing.T) {
	tests := []struct {
		name, before, after string
	}{
		{"compact", `[` + high + `,` + middle + `,` + low + `]`, `[` + high + `,` + allowA + `,` + middle + `,` + denyA + `,` + low + `]`},
		{"a line each", "[\n" + high + ",\n" + low + "\n]\n", "[\n" + high + ",\n" + allowA + ",\n" + denyA + ",\n" + low + "\n]\n"},
		{"in front", "[ " + low + " ]", "[ " + allowA + ", " + denyA + ", " + low + " ]"},
		{"behind, one entry", "[\n\t" + high + "\n]", "[\n\t" + high + ",\n\t" + allowA + ",\n\t" + denyA + "\n]"},
		{
			"in between, annotated ours stays", "[" + high + " ,\r\n" + strings.Replace(allowA, `}`, `,"by":"lin"}`, 1) + "]",
			"[" + high + " ,\r\n" + strings.Replace(allowA, `}`, `,"by":"lin"}`, 1) + " ,\r\n" + denyA + "]",
		},
		{"unsorted", "[" + low + "," + high + "]", "[" + low + "," + high + "," + allowA + "," + denyA + "]"},
		{
			"four spaces", "[\n    {\n        \"from\" : \"x\",\n        \"to\" : \"y\",\n        \"action\" : \"deny\",\n        \"priority\" : 300\n    }\n]\n",
			"[\n    {\n        \"from\" : \"x\",\n        \"to\" : \"y\",\n        \"action\" : \"deny\",\n        \"priority\" : 300\n    },\n" +
				"    {\n        \"from\" : \"relay.agent.a.*\",\n        \"to\" : \"relay.agent.a.*\",\n        \"action\" : \"allow\",\n        \"priority\" : 100\n    },\n" +
				"    {\n        \"from\" : \"relay.agent.a.*\",\n        \"to\" : \"relay.agent.>\",\n        \"action\" : \"deny\",\n        \"priority\" : 10\n    }\n]\n",
		},
		{"empty", " [ ]\n", " [\n" +
			"  {\n    \"from\": \"relay.agent.a.*\",\n    \"to\": \"relay.agent.a.*\",\n    \"action\": \"allow\",\n    \"priority\": 100\n  },\n" +
			"  {\n    \"from\": \"relay.agent.a.*\",\n    \"to\": \"relay.agent.>\",\n    \"action\": \"deny\",\n    \"priority\": 10\n  }\n]\n"},
		{"all there", "[" + allowA + "," + denyA + " ]  ", "[" + allowA + "," + denyA + " ]  "},
		{
			"odd numbers, double keys", `[` + strings.Replace(allowA, "100", "1e2", 1) + `,` + strings.Replace(denyA, `"priority"`, `"priority":"x","priority"`, 1) + `]`,
			`[` + strings.Replace(allowA, "100", "1e2", 1) + `,` + strings.Replace(denyA, `"priority"`, `"priority":"x","priority"`, 1) + `]`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := parse([]byte(tt.before))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, string(d.add(agent.BaseRules("a")).raw)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRemoveLeavesTheRestAsItIs(t *testing.T) {
	annotated := strings.Replace(denyA, `}`, `,"note":"keep"}`, 1)
	tests := []struct{ name, before, after string }{
		{"in between", "[" + high + ", " + allowA + ",  " + low + "]", "[" + high + ",  " + low + "]"},
		{"in front", "[\n" + allowA + ",\n\n" + denyA + ", " + low + "\n]", "[\n" + low + "\n]"},
		{"behind", "[" + high + ", " + allowA + ",  " + denyA + " ]\n", "[" + high + " ]\n"},
		{"apart", "[" + allowA + "," + high + "," + allowA + " , " + middle + "," + denyA + "]", "[" + high + " , " + middle + "]"},
		{"all", " [\n " + allowA + ", " + denyA + "\n ] ", " [] "},
		{"annotated stays", "[" + allowA + ", " + annotated + "]", "[" + annotated + "]"},
		{"none", "[ ]", "[ ]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := parse([]byte(tt.before))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, string(d.remove(agent.BaseRules("a")).raw)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What the original refuses is never written, and a person is sent to the place.
func TestBrokenFiles(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "line 1, column 1: the file is empty"},
		{"blank", " \n", "line 1, column 1: the file is empty"},
		{"an object", "{}", "line 1, column 1: not an array"},
		{"a byte order mark", "\ufeff[]", "line 1, column 1: "},
		{"cut off", "[\n  {\"from\": \"x\"", "line 2, column 15: "},
		{"behind the end", "[]\n[]", "line 2, column 1: something follows"},
		{"a comma too many", "[\n  " + high + ",\n]", fmt.Sprintf("line 2, column %d: ", 3+len(high))},
		{"an entry that is none", "[" + high + ",\n 1]", "line 2, column 2: entry 2: not an object"},
		{"no from", `[{"to":"y","action":"deny","priority":1}]`, "entry 1: from is missing"},
		{"other spelling", `[{"From":"x","to":"y","action":"deny","priority":1}]`, "entry 1: from is missing"},
		{"to is null", `[{"from":"x","to":null,"action":"deny","priority":1}]`, "to is missing"},
		{"to is a number", `[{"from":"x","to":1,"action":"deny","priority":1}]`, "to has the wrong type"},
		{"another action", `[{"from":"x","to":"y","action":"maybe","priority":1}]`, "action is neither"},
		{"no priority", `[{"from":"x","to":"y","action":"deny"}]`, "priority is not a number"},
		{"half a priority", `[{"from":"x","to":"y","action":"deny","priority":1.5}]`, "priority is not an integer"},
		{"a huge priority", `[{"from":"x","to":"y","action":"deny","priority":1e300}]`, "priority is not an integer"},
		{"bad UTF-8", "[{\"from\":\"\xff\",\"to\":\"y\",\"action\":\"deny\",\"priority\":1}]", "line 1, column 11: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHome(t)
			h.setText(tt.text)
			l, _, err := h.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(l.Degraded, tt.want) || !strings.Contains(l.Degraded, h.rulesPath()) {
				t.Errorf("Degraded = %q, want %q in it", l.Degraded, tt.want)
			}
			err = h.EnsureRules(t.Context(), []relay.Rules{{Namespace: "a"}})
			if !errors.Is(err, agent.ErrDegraded) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v", err)
			}
			if h.text() != tt.text {
				t.Error("it was written")
			}
			if n := len(h.letters(h.dir)); n != 1 {
				t.Errorf("%d files in the relay's directory", n)
			}
		})
	}
}

// An absent file and an empty one are told apart whatever came before.
func TestAbsentThenEmpty(t *testing.T) {
	h := newHome(t)
	degraded := func() string {
		l, _, err := h.List(t.Context())
		h.must(err)
		return l.Degraded
	}
	if d := degraded(); d != "" {
		t.Errorf("absent: %s", d)
	}
	h.setText("")
	if degraded() == "" {
		t.Error("an empty file was taken for an absent one")
	}
}

func TestRemoveAnnotatedIsQuiet(t *testing.T) {
	h := newHome(t)
	h.must(h.EnsureEndpoint(t.Context(), "relay.agent.a.01A"))
	text := "[" + strings.Replace(denyA, `}`, `,"note":"keep"}`, 1) + "]"
	h.setText(text)
	_, _, err := h.List(t.Context())
	h.must(err)
	h.must(h.RemoveRules(t.Context(), []relay.Removal{{Namespace: "a"}}))
	if _, changed, err := h.List(t.Context()); err != nil || len(changed) > 0 {
		t.Errorf("changed %v, %v: it would be removed again for ever", changed, err)
	}
	if h.text() != text {
		t.Errorf("rules are now %s", h.text())
	}
}

// What we wrote ourselves is known: it is read again while its stamp is too
// young to be trusted, but never parsed, and forgotten once the stamp is proof.
func TestOwnRulesAreNotParsedAgain(t *testing.T) {
	h := newHome(t)
	for _, ns := range []string{"b", "a", "c"} {
		h.must(h.EnsureRules(t.Context(), []relay.Rules{{Namespace: ns}}))
		wrote := h.rules.doc
		if sets, err := h.NamespaceRules(t.Context(), []string{ns}); err != nil || !sets[ns].Covers(false) {
			t.Errorf("%s has %+v, %v", ns, sets[ns], err)
		}
		if h.rules.doc != wrote || wrote == nil {
			t.Errorf("the file was parsed after %s was added", ns)
		}
	}
	h.setText("[" + denyA + "]")
	if sets, err := h.NamespaceRules(t.Context(), []string{"a", "b"}); err != nil || !sets["a"].Deny || sets["b"].Any() {
		t.Errorf("%+v, %v: somebody else's write was not seen", sets, err)
	}
	h.rules.now = func() time.Time { return time.Now().Add(time.Hour) }
	if _, _, err := h.List(t.Context()); err != nil || h.rules.doc != nil {
		t.Errorf("what the file says is still held, %v", err)
	}
}
