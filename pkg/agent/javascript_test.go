package agent_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// identityJS is what JSON.parse makes of a manifest, one line of JSON; "null"
// where it refuses the document.
const identityJS = `
function answer(text) {
	let m
	try { m = JSON.parse(text) } catch { return 'null' }
	if (m === null || typeof m !== 'object') return 'null'
	return JSON.stringify([m.id, m.name, m.runtime, m.registeredAt, m.registeredBy, m.namespace ?? '',
		m.description ?? '', JSON.stringify(m.capabilities ?? []),
		JSON.stringify(m.behavior?.escalationThreshold ?? '')])
}`

// identity is the same of a manifest of ours.
func identity(m *agent.Manifest) string {
	capabilities := agent.FieldTable[agent.FieldCapabilities].Value(m, agent.Place{}).Text
	threshold := m.Behavior.EscalationThreshold
	if threshold == "" {
		threshold = `""`
	}
	strs := agent.Manifest{Capabilities: []string{
		string(m.ID), m.Name, m.Runtime, m.RegisteredAt, m.RegisteredBy, m.Namespace,
		m.Description, capabilities, threshold,
	}}
	return agent.FieldTable[agent.FieldCapabilities].Value(&strs, agent.Place{}).Text
}

// We may refuse more than JSON.parse, never understand something else.
func TestIdentityAgainstNode(t *testing.T) {
	n := startNode(t, identityJS)
	documents := mutations(5000)
	answers := n.askAll(t, documents)
	agreed := 0
	for i, data := range documents {
		m, v := agent.DecodeManifest(data)
		if v != nil {
			continue
		}
		if want := identity(m); answers[i] != want {
			t.Errorf("%q:\nnode %s\nwe   %s", data, answers[i], want)
		}
		agreed++
	}
	if agreed < 500 {
		t.Errorf("only %d of %d documents were accepted: the comparison says little", agreed, len(documents))
	}
	t.Logf("%d of %d documents accepted, all alike", agreed, len(documents))
}

// seeds are the documents of the tables.
func seeds() [][]byte {
	documents := [][]byte{[]byte(minimal), []byte(benchManifest)}
	for _, c := range accepted {
		documents = append(documents, []byte(c.data))
	}
	for _, c := range refused {
		if len(c.data) < 10_000 {
			documents = append(documents, []byte(c.data))
		}
	}
	return documents
}

// mutations are the seeds and n documents made of the accepted ones, always the
// same.
func mutations(n int) [][]byte {
	base := []string{minimal, benchManifest}
	for _, c := range accepted {
		base = append(base, c.data)
	}
	members := []string{
		`"id":"B"`, `"ID":"B"`, `"Id":1`, `"\u0069d":"B"`, `"i\u0064" : "B"`, `"x":{"id":"B"}`, `"__proto__":{"id":"B"}`,
		`"id":null`, `"i` + "\u0307" + `d":"B"`, `"` + "\u0131" + `d":"B"`, `"name":"\u212a"`, `"name":"a\/b\b\f"`,
		`"description":"\u2028\u007f\/\n"`, "\"description\":\"\u2028\x7f\"", `"capabilities":["\u001f","\u00e9","\\"]`, `"y":[[],{},"\ud83d\ude00"]`,
		`"behavior":{"escalationThreshold":1e-7}`, `"behavior":{"escalationThreshold":123456789012345678901234}`, `"__proto__":null`,
	}
	noise := []string{
		`,`, `,,`, `{`, `}`, `[`, `]`, `"`, `\`, `:`, "\x00", "\ufeff", "\xff", "\xed\xa0\x80", `\ud800`, `\ud83d\ude00`, `\u0041`, "é",
		" ", "\n", "\u00a0", "\v", "/**/", "//", "NaN", "1e999", "-0", "01", "1.", ".5", "0x1", "true", "null", "'", "a", "0", "_",
	}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	documents := seeds()
	for range n {
		d := pick(base)
		at := random.IntN(len(d) + 1)
		switch random.IntN(4) {
		case 0:
			d = strings.Replace(d, "{", "{"+pick(members)+",", 1)
		case 1:
			d = strings.TrimRight(strings.TrimSpace(d), "}") + "," + pick(members) + "}"
		case 2:
			d = d[:at] + pick(noise) + d[at:]
		case 3:
			d = d[:at] + pick(noise) + d[min(at+random.IntN(4), len(d)):]
		}
		documents = append(documents, []byte(d))
	}
	return documents
}

// Every character of the planes that have letter case and white space, between
// two letters and alone: what toLowerCase and trim make of it matters. A question
// is a block of 256 characters.
func TestNormalizeNamespaceAgainstNode(t *testing.T) {
	n := startNode(t, `
const normalize = s => s.toLowerCase().replace(/[^a-z0-9-]/g, '-').replace(/-+/g, '-').replace(/^-|-$/g, '')
function answer(first) {
	let all = ''
	for (let c = Number(first); c < Number(first) + 256; c++) {
		const s = String.fromCodePoint(c)
		all += normalize('a' + s + 'b') + ' ' + normalize(s) + ' ' + (s.trim() === '') + '|'
	}
	return all
}`)
	for first := rune(0); first < 0x20000; first += 256 {
		if 0xd800 <= first && first <= 0xdfff {
			continue // surrogates are no characters
		}
		var all strings.Builder
		for c := first; c < first+256; c++ {
			between, _ := agent.NormalizeNamespace("a" + string(c) + "b")
			alone, _ := agent.NormalizeNamespace(string(c))
			fmt.Fprintf(&all, "%s %s %v|", between, alone, agent.Blank(string(c)))
		}
		if want := n.ask(t, []byte(strconv.Itoa(int(first)))); all.String() != want {
			t.Errorf("block %U:\nnode %s\nwe   %s", first, want, all.String())
		}
	}
}

// The columns that hold JSON are compared with what JSON.stringify writes.
func TestJSONColumnsAgainstNode(t *testing.T) {
	n := startNode(t, `
function answer(text) {
	const m = JSON.parse(text)
	const t = m.traits, c = m.conventions
	return JSON.stringify([m.capabilities, m.behavior, m.budget, t, c].map(v => JSON.stringify(v)))
}`)
	var all strings.Builder
	for c := rune(1); c < 0x3000; c++ {
		if '\u202a' <= c && c <= '\u202e' || '\u2066' <= c && c <= '\u2069' {
			continue // refused in a manifest
		}
		if c == '"' || c == '\\' || c < ' ' {
			fmt.Fprintf(&all, `\u%04x`, c)
		} else {
			all.WriteRune(c)
		}
	}
	for _, number := range []string{
		"0", "-0", "1", "0.1", "1e21", "1e20", "123456789012345680000", "1e-6", "1e-7", "5e-324", "1.7976931348623157e308",
		"0.30000000000000004", "-1.50", "9007199254740993", "1E+2", "4.35", "100", "2.5e-8", "1e23", "123e-20",
	} {
		data := []byte(with(`"capabilities":["` + all.String() + `","😀\ud83d\ude00\/"],"behavior":{"responseMode":"silent","escalationThreshold":` + number +
			`},"budget":{"maxHopsPerMessage":1,"maxCallsPerHour":9007199254740991},"traits":{"verbosity":1,"autonomy":2,"chaos":3,"creativity":4,"humor":5,"spice":1},` +
			`"conventions":{"soul":true,"nope":false,"dorkosKnowledge":true}`))
		m, v := agent.DecodeManifest(data)
		if v != nil {
			t.Fatal(v)
		}
		f := agent.Desired(m, agent.Place{})
		columns := agent.Manifest{Capabilities: []string{
			f[agent.FieldCapabilities].Text, f[agent.FieldBehavior].Text, f[agent.FieldBudget].Text,
			f[agent.FieldTraits].Text, f[agent.FieldConventions].Text,
		}}
		got := agent.FieldTable[agent.FieldCapabilities].Value(&columns, agent.Place{}).Text
		if want := n.ask(t, data); got != want {
			t.Errorf("%s:\nnode %.300s\nwe   %.300s", number, want, got)
		}
	}
}

// A fresh manifest is what JSON.stringify(m, null, 2) writes.
func TestEncodeAgainstNode(t *testing.T) {
	n := startNode(t, `
function answer(text) {
	return String(JSON.stringify(JSON.parse(text), null, 2) + '\n' === text)
}`)
	for _, c := range accepted {
		m, v := agent.DecodeManifest([]byte(c.data))
		if v != nil {
			t.Fatal(v)
		}
		data, err := agent.EncodeManifest(m)
		if err != nil {
			t.Fatal(err)
		}
		if n.ask(t, data) != "true" {
			t.Errorf("%s: node writes it otherwise:\n%s", c.name, data)
		}
	}
}
