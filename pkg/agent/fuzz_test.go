package agent_test

import (
	"bytes"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

var (
	idGrammar        = regexp.MustCompile(`\A[A-Za-z0-9_-]{1,64}\z`)
	namespaceGrammar = regexp.MustCompile(`\A[a-z0-9]+(-[a-z0-9]+)*\z`)
)

func FuzzDecodeManifest(f *testing.F) {
	for _, data := range seeds() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		m, v := agent.DecodeManifest(data)
		if !bytes.Equal(before, data) {
			t.Fatal("the document was written to")
		}
		if (m == nil) == (v == nil) {
			t.Fatalf("%v and %v", m, v)
		}
		checkPeek(t, data, m, v)
		if v != nil {
			checkViolation(t, data, v)
			return
		}
		checkManifest(t, data, m)
		roundTrip(t, m)
		checkEdit(t, data, m)
	})
}

// checkPeek: a peek into a manifest that was in use says what a decoding says, and
// what is wrong keeps nothing of the document.
func checkPeek(t *testing.T, data []byte, m *agent.Manifest, v *agent.Violation) {
	t.Helper()
	data = bytes.Clone(data)
	peeked := agent.Manifest{ID: "before", Traits: &agent.Traits{}, Color: new(string), IsSystem: true}
	bad := peeked.Peek(data)
	if m != nil && (bad != nil || !reflect.DeepEqual(m, &peeked)) {
		t.Errorf("a peek says %+v and %v, not %+v", peeked, bad, m)
	}
	clear(data)
	if v != nil && (bad == nil || *bad != *v) {
		t.Errorf("a peek refuses with %v, not %v", bad, v)
	}
}

func checkViolation(t *testing.T, data []byte, v *agent.Violation) {
	t.Helper()
	if v.Message == "" || !utf8.ValidString(v.Error()) || len(v.Error()) > 2000 {
		t.Errorf("message of %d bytes: %.2000q", len(v.Error()), v.Error())
	}
	lines := bytes.Split(data, []byte("\n"))
	if v.Line < 1 || v.Line > len(lines) || v.Column < 1 || v.Column > len(lines[v.Line-1])+1 {
		t.Errorf("line %d, column %d is not in the file", v.Line, v.Column)
	}
}

func checkManifest(t *testing.T, data []byte, m *agent.Manifest) {
	t.Helper()
	if !idGrammar.MatchString(string(m.ID)) {
		t.Errorf("id %q", m.ID)
	}
	if !jsontext.Value(data).IsValid() {
		t.Error("accepted what a strict reader of JSON refuses")
	}
	if ns, ok := agent.ResolveNamespace(m, "/x", ""); !ok || !namespaceGrammar.MatchString(ns) {
		t.Errorf("namespace %q becomes %q, %v", m.Namespace, ns, ok)
	}
	if len(m.Capabilities) > agent.MaxCapabilities {
		t.Errorf("%d capabilities", len(m.Capabilities))
	}
	for i, c := range agent.Desired(m, agent.Place{}) {
		column := agent.FieldTable[i].Column
		if !utf8.ValidString(c.Text) {
			t.Errorf("%s is not UTF-8: %q", column, c.Text)
		}
		if strings.HasSuffix(column, "_json") && c.Kind != agent.Null && !jsontext.Value(c.Text).IsValid() {
			t.Errorf("%s is not JSON: %s", column, c.Text)
		}
	}
}

// An edit changes what it names and nothing else, and undoing it gives back the
// very bytes.
func checkEdit(t *testing.T, data []byte, m *agent.Manifest) {
	t.Helper()
	const newKey = "zZz"
	before := members(t, data)
	meets := func(m rawMember) bool { return strings.EqualFold(m.name, newKey) }
	if slices.ContainsFunc(before, meets) || len(data) > agent.MaxManifestSize-1000 {
		return
	}
	edited, err := agent.EditManifest(data, []agent.Assignment{
		set("id", `"another-id"`), set("name", `"another\nname"`), set(newKey+".x", `[1]`),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, v := agent.DecodeManifest(edited)
	if v != nil {
		t.Fatal(v)
	}
	want := *m
	want.ID, want.Name = "another-id", "another\nname"
	if d := cmp.Diff(&want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	after := members(t, edited)
	if len(after) != len(before)+1 {
		t.Fatalf("%d members, then %d", len(before), len(after))
	}
	for i, b := range before {
		if b.name == "id" || b.name == "name" {
			before[i].value, after[i].value = "", ""
		}
		if before[i] != after[i] {
			t.Errorf("%v became %v", before[i], after[i])
		}
	}
	undone, err := agent.EditManifest(edited, []agent.Assignment{
		remove(newKey), {Field: "id", Value: raw(t, data, "id")}, {Field: "name", Value: raw(t, data, "name")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(members(t, data), members(t, undone), cmp.AllowUnexported(rawMember{})); d != "" {
		t.Errorf("undone (-want +got)\n%s", d)
	}
}

type rawMember struct{ name, value string }

// members are the outermost members of a document, values as written but for
// what has two spellings, id and name.
func members(t *testing.T, data []byte) []rawMember {
	t.Helper()
	d := jsontext.NewDecoder(bytes.NewReader(data))
	if _, err := d.ReadToken(); err != nil {
		t.Fatal(err)
	}
	var list []rawMember
	for d.PeekKind() == '"' {
		key, err := d.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		name := key.String()
		value, err := d.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		if name == "id" || name == "name" {
			if err := value.Canonicalize(); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, rawMember{name, string(value)})
	}
	return list
}

func raw(t *testing.T, data []byte, name string) jsontext.Value {
	t.Helper()
	for _, m := range members(t, data) {
		if m.name == name {
			return jsontext.Value(m.value)
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

// FuzzIdentityAgainstNode asks the reference about every document that we accept.
func FuzzIdentityAgainstNode(f *testing.F) {
	for _, data := range seeds() {
		f.Add(data)
	}
	n := startNode(f, identityJS)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, v := agent.DecodeManifest(data)
		if v != nil {
			return
		}
		if got, want := identity(m), n.ask(t, data); got != want {
			t.Errorf("node %s\nwe   %s", want, got)
		}
	})
}

func FuzzNormalizeNamespace(f *testing.F) {
	for _, s := range []string{"My Project", "--a--b--", "test_mode", "Codex", "ÅÄÖ", "...", "\u212a\u0130", "a\xffb", "claude-code-ns"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := agent.NormalizeNamespace(s)
		if ok != (n != "" && len(n) <= agent.MaxNamespace) {
			t.Errorf("%q, %v", n, ok)
		}
		if n != "" && !namespaceGrammar.MatchString(n) {
			t.Errorf("%q does not fit the grammar", n)
		}
		if again, _ := agent.NormalizeNamespace(n); again != n {
			t.Errorf("%q, then %q", n, again)
		}
		if !ok {
			return
		}
		if got, id, parsed := agent.ParseSubject(string(agent.SubjectOf(n, "01A"))); !parsed || got != n || id != "01A" {
			t.Errorf("the subject of %q parses as %q, %q, %v", n, got, id, parsed)
		}
	})
}

func FuzzParseSubject(f *testing.F) {
	for _, s := range []string{"relay.agent.team.01A", "relay.agent.codex.x", "relay.agent.a.b.c", "relay.agent.*.>", "relay.agent..", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		namespace, id, ok := agent.ParseSubject(s)
		if !ok {
			return
		}
		if got := agent.SubjectOf(namespace, id); string(got) != s {
			t.Errorf("%q became %q", s, got)
		}
		if !idGrammar.MatchString(string(id)) || !namespaceGrammar.MatchString(namespace) {
			t.Errorf("namespace %q, id %q", namespace, id)
		}
		if strings.Count(s, ".") != 3 {
			t.Errorf("%q has another number of tokens", s)
		}
	})
}
