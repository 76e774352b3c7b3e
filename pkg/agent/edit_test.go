package agent_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// required are the members that every document below needs, on one line.
const required = `"id":"01A","runtime":"codex","registeredAt":"2026-01-01T00:00:00Z","registeredBy":"me"`

func set(field, value string) agent.Assignment {
	return agent.Assignment{Field: field, Value: jsontext.Value(value)}
}

func remove(field string) agent.Assignment { return agent.Assignment{Field: field} }

func TestEditManifest(t *testing.T) {
	for _, c := range []struct {
		name string
		in   string
		set  []agent.Assignment
		want string
	}{
		{"nothing", `{"name":"n",` + required + `}`, nil, `{"name":"n",` + required + `}`},
		{"a value in its place", `{"name" :  "n" , ` + required + "}\n", []agent.Assignment{set("name", `"m"`)}, `{"name" :  "m" , ` + required + "}\n"},
		{
			"unknown keys, escapes and order stay",
			`{"z":[1.0,"\u0041"],"name":"n","a":{ "b" : 1e2 },` + required + `,"y":null}`,
			[]agent.Assignment{set("name", `"m"`)},
			`{"z":[1.0,"\u0041"],"name":"m","a":{ "b" : 1e2 },` + required + `,"y":null}`,
		},
		{
			"the same value in another spelling", `{"name":"\u006e",` + required + `,"traits":{"chaos":2.0}}`,
			[]agent.Assignment{set("name", `"n"`), set("traits", `{"chaos":2}`)},
			`{"name":"\u006e",` + required + `,"traits":{"chaos":2.0}}`,
		},
		{"an escaped key", `{"\u006eame":"n",` + required + `}`, []agent.Assignment{set("name", `"m"`)}, `{"\u006eame":"m",` + required + `}`},

		{"new key, compact", `{"name":"n",` + required + `}`, []agent.Assignment{set("color", `"red"`)}, `{"name":"n",` + required + `,"color":"red"}`},
		{"new key, spaces", `{ "name": "n", ` + required + ` }`, []agent.Assignment{set("color", `"red"`)}, `{ "name": "n", ` + required + `, "color": "red" }`},
		{"new list, compact", `{"name":"n",` + required + `}`, []agent.Assignment{set("capabilities", `["a", "b"]`)}, `{"name":"n",` + required + `,"capabilities":["a","b"]}`},
		{"new list, spaces", `{"name": "n", ` + required + `}`, []agent.Assignment{set("capabilities", `["a","b"]`)}, `{"name": "n", ` + required + `, "capabilities": ["a", "b"]}`},
		{
			"new key, two blanks", "{\n  \"name\": \"n\",\n  " + required + "\n}\n",
			[]agent.Assignment{set("color", `"red"`)},
			"{\n  \"name\": \"n\",\n  " + required + ",\n  \"color\": \"red\"\n}\n",
		},
		{
			"new list, two blanks", "{\n  \"name\": \"n\",\n  " + required + "}",
			[]agent.Assignment{set("capabilities", `["a"]`)},
			"{\n  \"name\": \"n\",\n  " + required + ",\n  \"capabilities\": [\n    \"a\"\n  ]}",
		},
		{
			"new object, tabs", "{\n\t\"name\": \"n\",\n\t" + required + "\n}",
			[]agent.Assignment{set("traits", `{"chaos":2}`)},
			"{\n\t\"name\": \"n\",\n\t" + required + ",\n\t\"traits\": {\n\t\t\"chaos\": 2\n\t}\n}",
		},
		{
			"new object, four blanks and line ends of Windows", "{\r\n    \"name\": \"n\",\r\n    " + required + "\r\n}\r\n",
			[]agent.Assignment{set("traits", `{"chaos":2}`)},
			"{\r\n    \"name\": \"n\",\r\n    " + required + ",\r\n    \"traits\": {\r\n        \"chaos\": 2\r\n    }\r\n}\r\n",
		},
		{
			"new object, no indentation", "{\n\"name\":\"n\",\n" + required + "\n}",
			[]agent.Assignment{set("traits", `{"chaos":2}`)},
			"{\n\"name\":\"n\",\n" + required + ",\n\"traits\":{\n\"chaos\":2\n}\n}",
		},
		{
			"new object, an indented document", "  {\n    \"name\": \"n\",\n    " + required + "\n  }",
			[]agent.Assignment{set("traits", `{"chaos":2}`)},
			"  {\n    \"name\": \"n\",\n    " + required + ",\n    \"traits\": {\n      \"chaos\": 2\n    }\n  }",
		},
		{
			"empty list and object", "{\n  \"name\": \"n\",\n  " + required + "\n}",
			[]agent.Assignment{set("capabilities", `[ ]`), set("traits", "{\n}")},
			"{\n  \"name\": \"n\",\n  " + required + ",\n  \"capabilities\": [],\n  \"traits\": {}\n}",
		},

		{
			"a list that stood on one line", "{\n  \"name\": \"n\", " + required + ",\n  \"capabilities\": [\"a\", \"b\"]\n}",
			[]agent.Assignment{set("capabilities", `["c"]`)},
			"{\n  \"name\": \"n\", " + required + ",\n  \"capabilities\": [\"c\"]\n}",
		},
		{
			"a list that stood on three", "{\"name\":\"n\"," + required + ",\n  \"capabilities\": [\n    \"a\"\n  ]\n}",
			[]agent.Assignment{set("capabilities", `["c","d"]`)},
			"{\"name\":\"n\"," + required + ",\n  \"capabilities\":" + " [\n    \"c\",\n    \"d\"\n  ]\n}",
		},

		{
			"a member of an object", `{"name":"n",` + required + `,"behavior":{"x":1,"responseMode":"always"}}`,
			[]agent.Assignment{set("behavior.responseMode", `"silent"`)},
			`{"name":"n",` + required + `,"behavior":{"x":1,"responseMode":"silent"}}`,
		},
		{
			"a new member of an object", "{\n  \"name\": \"n\", " + required + ",\n  \"behavior\": {\n    \"responseMode\": \"always\"\n  }\n}",
			[]agent.Assignment{set("behavior.escalationThreshold", `1`)},
			"{\n  \"name\": \"n\", " + required + ",\n  \"behavior\": {\n    \"responseMode\": \"always\",\n    \"escalationThreshold\": 1\n  }\n}",
		},
		{
			"a new member of an object on one line", "{\n  \"name\": \"n\", " + required + ",\n  \"behavior\": { \"responseMode\": \"always\" }\n}",
			[]agent.Assignment{set("behavior.escalationThreshold", `1`)},
			"{\n  \"name\": \"n\", " + required + ",\n  \"behavior\": { \"responseMode\": \"always\", \"escalationThreshold\": 1 }\n}",
		},
		{
			"a new member of an empty object", "{\n  \"name\": \"n\", " + required + ",\n  \"traits\": {\n  }\n}",
			[]agent.Assignment{set("traits.chaos", `1`)},
			"{\n  \"name\": \"n\", " + required + ",\n  \"traits\": {\n    \"chaos\": 1\n  }\n}",
		},
		{
			"a new member of an empty object, compact", `{"name":"n",` + required + `,"traits":{ }}`,
			[]agent.Assignment{set("traits.chaos", `1`)},
			`{"name":"n",` + required + `,"traits":{"chaos":1}}`,
		},
		{
			"the objects on the way are made", `{"name":"n",` + required + `}`,
			[]agent.Assignment{set("behavior.responseMode", `"silent"`), set("x.y.z", `1`)},
			`{"name":"n",` + required + `,"behavior":{"responseMode":"silent"},"x":{"y":{"z":1}}}`,
		},

		{"remove the first", `{"color":"red", "name":"n",` + required + `}`, []agent.Assignment{remove("color")}, `{"name":"n",` + required + `}`},
		{"remove one between", "{\n  \"name\": \"n\",\n  \"color\": \"red\",\n  " + required + "\n}", []agent.Assignment{remove("color")}, "{\n  \"name\": \"n\",\n  " + required + "\n}"},
		{"remove the last", "{\n  \"name\": \"n\",\n  " + required + ",\n  \"color\": \"red\"\n}\n", []agent.Assignment{remove("color")}, "{\n  \"name\": \"n\",\n  " + required + "\n}\n"},
		{"remove the only one", `{"name":"n",` + required + `,"traits":{ "chaos": 1 }}`, []agent.Assignment{remove("traits.chaos")}, `{"name":"n",` + required + `,"traits":{}}`},
		{"remove what is not there", `{"name":"n",` + required + `}`, []agent.Assignment{remove("color"), remove("traits.chaos"), remove("a.b.c")}, `{"name":"n",` + required + `}`},
		{"in order, the last one wins", `{"name":"n",` + required + `}`, []agent.Assignment{set("color", `"red"`), remove("color"), set("color", `"blue"`)}, `{"name":"n",` + required + `,"color":"blue"}`},
		{"what was invalid may be mended", `{` + required + `,"name":""}`, []agent.Assignment{set("name", `"n"`)}, `{` + required + `,"name":"n"}`},
		{
			"from nothing", "{}\n",
			[]agent.Assignment{set("id", `"a"`), set("name", `"n"`), set("runtime", `"codex"`), set("registeredAt", `"2026-01-01T00:00Z"`), set("registeredBy", `"me"`)},
			"{\n  \"id\": \"a\",\n  \"name\": \"n\",\n  \"runtime\": \"codex\",\n  \"registeredAt\": \"2026-01-01T00:00Z\",\n  \"registeredBy\": \"me\"\n}\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := strings.Clone(c.in)
			data := []byte(c.in)
			got, err := agent.EditManifest(data, c.set)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, string(got)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if string(data) != before {
				t.Error("the original was written to")
			}
		})
	}
}

func TestEditRefuses(t *testing.T) {
	for _, c := range []struct {
		name, in  string
		a         agent.Assignment
		says      string
		violation bool
	}{
		{"a value that is not valid", minimal, set("name", `""`), "the edited manifest is not valid: line 1, column 20: name", true},
		{"a required field removed", minimal, remove("id"), "required and missing", true},
		{"a case variant added", minimal, set("ID", `"b"`), "letter case", true},
		{"a value that is not JSON", minimal, set("name", `"n`), "set name: the value is not valid JSON", false},
		{"two values", minimal, set("name", `"n" "m"`), "the value is not valid JSON", false},
		{"an empty value", minimal, agent.Assignment{Field: "name", Value: jsontext.Value{}}, "the value is not valid JSON", false},
		{"a lone surrogate", minimal, set("name", `"\ud800"`), "the value is not valid JSON", false},
		{"no field", minimal, set("", `1`), "not the name of a field", false},
		{"an empty step", minimal, set("behavior..x", `1`), "not the name of a field", false},
		{"a step through a string", minimal, set("name.x", `1`), "expected an object", true},
		{"an effort that no reader knows", minimal, set("effort", `"ultra"`), "every reader would ignore", false},
		{"a model of another type", minimal, set("model", `1`), "every reader would ignore", false},
		{"an account that is empty", minimal, set("account", `""`), "every reader would ignore", false},
		{"a file that is not JSON", "{", set("name", `"n"`), "ends in the middle", true},
		{"a file that is no object", "[]", set("name", `"n"`), "expected an object", true},
		{"an empty file", "", set("name", `"n"`), "empty", false},
		{"text after the end", minimal + "x", set("name", `"m"`), "ends before this", true},
		{"a result that is too large", minimal, set("x", `"`+strings.Repeat("a", agent.MaxManifestSize)+`"`), "larger than 1 MiB", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := agent.EditManifest([]byte(c.in), []agent.Assignment{c.a})
			if err == nil {
				t.Fatalf("got %s", got)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
			var v *agent.Violation
			if errors.As(err, &v) != c.violation {
				t.Errorf("wraps a violation: %v", v)
			}
		})
	}
}

func TestEncodeManifest(t *testing.T) {
	m := agent.NewManifest()
	m.ID, m.Name, m.Runtime = "01A", "billing", "codex"
	m.RegisteredAt, m.RegisteredBy = "2026-01-01T00:00:00.000Z", "me"
	const fresh = `{
  "id": "01A",
  "name": "billing",
  "description": "",
  "runtime": "codex",
  "capabilities": [],
  "behavior": {
    "responseMode": "always"
  },
  "registeredAt": "2026-01-01T00:00:00.000Z",
  "registeredBy": "me",
  "personaEnabled": true
}
`
	got, err := agent.EncodeManifest(m)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(fresh, string(got)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	m.ID = "a.b"
	if _, err := agent.EncodeManifest(m); err == nil || !strings.Contains(err.Error(), "not valid: line 2, column 9: id: ") {
		t.Errorf("an id that is not valid: %v", err)
	}
	m.ID, m.Name = "a", "\xff"
	if _, err := agent.EncodeManifest(m); err == nil {
		t.Error("text that is not UTF-8 was written")
	}
}

func TestEncodeRoundTrip(t *testing.T) {
	for _, c := range accepted {
		t.Run(c.name, func(t *testing.T) {
			m, v := agent.DecodeManifest([]byte(c.data))
			if v != nil {
				t.Fatal(v)
			}
			roundTrip(t, m)
		})
	}
}

func roundTrip(t *testing.T, m *agent.Manifest) {
	t.Helper()
	data, err := agent.EncodeManifest(m)
	if err != nil {
		t.Fatal(err)
	}
	again, v := agent.DecodeManifest(data)
	if v != nil {
		t.Fatal(v)
	}
	if d := cmp.Diff(m, again); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
