package agent

import "testing"

// Every field but the namespace is part of the digest, and no value runs into
// the next.
func TestDigest(t *testing.T) {
	base := Fields{}
	for i := range base {
		base[i] = TextCell("x")
	}
	if first, again := base.Digest(), base.Digest(); first == 0 || first != again {
		t.Fatal("a digest is zero or not the same twice")
	}
	for i := range base {
		for _, c := range []Cell{{}, TextCell(""), TextCell("y"), TextCell("xx"), {Integer, "x"}} {
			f := base
			f[i] = c
			if same := f.Digest() == base.Digest(); same != (i == FieldNamespace) {
				t.Errorf("%s %v: same digest %v", FieldTable[i].Name, c, same)
			}
		}
	}
	d := NewDigester()
	for i := range base {
		d.AddRaw(i, base[i].Kind, []byte(base[i].Text))
	}
	if d.Sum() != base.Digest() {
		t.Error("raw values have another digest")
	}
	a, b := base, base
	a[FieldName], a[FieldRuntime] = TextCell("ab"), TextCell("c")
	b[FieldName], b[FieldRuntime] = TextCell("a"), TextCell("bc")
	if a.Digest() == b.Digest() {
		t.Error("values run into each other")
	}
}
