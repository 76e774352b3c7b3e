package maildir

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// FuzzRules: reading never panics; what is added is there; adding again
// changes nothing; foreign entries keep bytes and order; removing what was
// added restores the file.
func FuzzRules(f *testing.F) {
	for _, seed := range []string{
		"", "[]", " [ ]\n", "{}", "[1]", "[" + high + "]", "[\n  " + high + ",\r\n\t" + middle + "\n]\n",
		"[" + allowA + "," + denyA + "," + low + "]", "[" + low + " , " + high + "]",
		string(render([]agent.Rule{{From: "a", To: "b", Action: agent.Deny, Priority: 10}})),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		d, err := parse(raw)
		if err != nil {
			return
		}
		rules := append(agent.BaseRules("a"), agent.SystemRules("a")...)
		added := reparse(t, d.add(rules))
		if s := added.sets["a"]; !s.Covers(true) {
			t.Fatalf("not all there: %+v in %q", s, added.raw)
		}
		if again := added.add(rules); again != added {
			t.Fatalf("adding twice is not once:\n%q\n%q", added.raw, again.raw)
		}
		sameForeign(t, d, added, rules)
		removed := reparse(t, added.remove(rules))
		sameForeign(t, d, removed, rules)
		ours := d.sets["a"].Any()
		restorable := len(d.entries) > 0 || d.close == d.open+1
		if !ours && restorable && !bytes.Equal(removed.raw, before) {
			t.Fatalf("not restored:\n%q\n%q", before, removed.raw)
		}
		if !bytes.Equal(raw, before) {
			t.Fatal("the input was changed")
		}
	})
}

// reparse proves that an edited document knows itself, and returns what a
// reader of the file finds.
func reparse(t *testing.T, edited *document) *document {
	t.Helper()
	d, err := parse(edited.raw)
	if err != nil {
		t.Fatalf("%v in %q", err, edited.raw)
	}
	known := *edited
	known.absent = false
	if diff := cmp.Diff(d, &known, cmp.AllowUnexported(document{}, entry{}), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("parsed, and known of %q (-want +got):\n%s", edited.raw, diff)
	}
	return d
}

func sameForeign(t *testing.T, a, b *document, ours []agent.Rule) {
	t.Helper()
	x, y := foreign(a, ours), foreign(b, ours)
	if !bytes.Equal(bytes.Join(x, []byte{0}), bytes.Join(y, []byte{0})) {
		t.Fatalf("foreign entries changed:\n%q\n%q", x, y)
	}
}

func foreign(d *document, ours []agent.Rule) (list [][]byte) {
	for _, e := range d.entries {
		mine := false
		for _, r := range ours {
			mine = mine || e.rule == r && !e.annotated
		}
		if !mine {
			list = append(list, d.raw[e.start:e.end])
		}
	}
	return list
}
