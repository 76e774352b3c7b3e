package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// A name from a cloned repository must not steer the terminal.
func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain":              "plain",
		"größer 智":           "größer 智",
		"a\x1b[31mb":         `a\u001b[31mb`,
		"two\nlines":         `two\u000alines`,
		"right\u202eto left": `right\u202eto left`,
		"bad\xff":            `bad\ufffd`,
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	tab := (&app{}).table("A", "LONGER")
	tab.row("größer", "x")
	tab.row("", "y\n")
	var out bytes.Buffer
	tab.write(&out)
	want := "A       LONGER\ngrößer  x\n-       y\\u000a\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// On a terminal the last columns give way first, and show that they do.
func TestTableFits(t *testing.T) {
	whole := "ID  NAME       PATH\n1   firstname  /home/user/projects/one\n"
	least := "ID  NAME      PATH\n1   firstna…  /home/u…\n"
	for fit, want := range map[int]string{
		0:  whole,
		38: whole,
		30: "ID  NAME       PATH\n1   firstname  /home/user/pro…\n",
		22: least,
		1:  least,
	} {
		tab := &table{rows: [][]string{{"ID", "NAME", "PATH"}}, fit: fit}
		tab.row("1", "firstname", "/home/user/projects/one")
		var out bytes.Buffer
		tab.write(&out)
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("in %d columns (-want +got):\n%s", fit, diff)
		}
	}
}

func TestCoarse(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 119 * time.Second: "119s", 2 * time.Minute: "2m", 3 * time.Hour: "3h", 50 * time.Hour: "2d",
	} {
		if got := coarse(d); got != want {
			t.Errorf("coarse(%s) = %s, want %s", d, got, want)
		}
	}
}

func TestActionText(t *testing.T) {
	s := func(s string) *string { return &s }
	for want, a := range map[string]controller.PlanAction{
		"updateRow name: a -> b":          {Type: "updateRow", Field: s("name"), From: s("a"), To: s("b")},
		`updateRow name: "" -> b`:         {Type: "updateRow", Field: s("name"), From: s(""), To: s("b")},
		"updateRow color: (none) -> red":  {Type: "updateRow", Field: s("color"), To: s("red")},
		"updateRow color: red -> (none)":  {Type: "updateRow", Field: s("color"), From: s("red")},
		"relocateRow /a -> /b":            {Type: "relocateRow", From: s("/a"), To: s("/b")},
		"ensureEndpoint relay.agent.a.ID": {Type: "ensureEndpoint", To: s("relay.agent.a.ID")},
		"removeRow":                       {Type: "removeRow"},
	} {
		if got := actionText(a); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestYAMLSaysWhatJSONSays(t *testing.T) {
	v := struct {
		B string   `json:"b"`
		A []any    `json:"a"`
		N *string  `json:"n"`
		E []string `json:"e"`
	}{"true", []any{1.5, "1", "a: b", false}, nil, []string{}}
	var out bytes.Buffer
	if err := writeYAML(&out, v); err != nil {
		t.Fatal(err)
	}
	want := "b: \"true\"\na:\n  - 1.5\n  - \"1\"\n  - 'a: b'\n  - false\nn: null\ne: []\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("yaml (-want +got):\n%s", diff)
	}
}

func TestWantsJSON(t *testing.T) {
	for args, want := range map[string]bool{
		"agents":                    false,
		"agents -o json":            true,
		"-o json agents":            true,
		"agents -ojson":             true,
		"agents -o=json":            true,
		"agents --output json":      true,
		"agents --output=json":      true,
		"agents -wo json":           true,
		"events -fojson":            true,
		"agents -o table":           false,
		"agents -o json -o table":   false,
		"agents -o":                 false,
		"agents --outputs json":     false,
		"explain -- -o json":        false,
		"sync --config x -o json a": true,
	} {
		if got := wantsJSON(strings.Fields(args)); got != want {
			t.Errorf("wantsJSON(%s) = %v, want %v", args, got, want)
		}
	}
}

func TestTarget(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for in, want := range map[string]string{
		"01ABC":                    "01ABC",
		"./a":                      dir + "/a",
		"a.b":                      dir + "/a.b",
		".":                        dir,
		"/x/../y":                  "/y",
		"p/.dork/agent.json":       dir + "/p",
		dir + "/p/.dork":           dir + "/p",
		"far/too/deep/for/nothing": dir + "/far/too/deep/for/nothing",
	} {
		got, err := target(in)
		if err != nil || got != want {
			t.Errorf("target(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	if _, err := target(""); err == nil {
		t.Error("an empty argument names nothing")
	}
}

func TestParseAt(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a := &app{now: func() time.Time { return now }}
	for in, want := range map[string]time.Time{
		"":                     {},
		"+24h":                 now.Add(24 * time.Hour),
		"2026-02-01T00:00:00Z": time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := a.parseAt(in); err != nil || !got.Equal(want) {
			t.Errorf("parseAt(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"24h", "+", "+-1h", "tomorrow", "2026-02-01"} {
		if _, err := a.parseAt(in); err == nil {
			t.Errorf("parseAt(%q) gives no error", in)
		}
	}
}
