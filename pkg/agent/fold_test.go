package agent

import "testing"

func TestFold(t *testing.T) {
	for _, id := range []ID{"", "01A", "01a", "aB-_9", "\u212a", "É", "x\xffY"} {
		if got := string(id.AppendFold([]byte("before "))); got != "before "+id.Fold() {
			t.Errorf("AppendFold(%q) = %q, Fold %q", id, got, id.Fold())
		}
	}
	for id, want := range map[ID]bool{"": true, "01M89J0E9P": true, "A-_": true, "a": false, "01Aa": false, "\u212a": false, "É": false} {
		if id.Capital() != want {
			t.Errorf("Capital(%q) = %v", id, !want)
		}
	}
}

func TestSubjectIs(t *testing.T) {
	for _, c := range []struct {
		s      Subject
		ns     string
		id     ID
		answer bool
	}{
		{SubjectOf("a", "B"), "a", "B", true},
		{SubjectOf("a-b", "C"), "a-b", "C", true},
		{SubjectOf("a-b", "C"), "a", "b-C", false},
		{SubjectOf("a", "B"), "a", "C", false},
		{SubjectOf("a", "B"), "b", "B", false},
		{"relay.other.a.B", "a", "B", false},
		{"", "", "", false},
	} {
		if c.s.Is(c.ns, c.id) != c.answer {
			t.Errorf("%q.Is(%q, %q) = %v", c.s, c.ns, c.id, !c.answer)
		}
	}
}
