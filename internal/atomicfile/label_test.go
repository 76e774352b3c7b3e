package atomicfile

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// Names are taken apart by hand, which is what these expressions say.
func TestNamesOfTemporaryFiles(t *testing.T) {
	named := regexp.MustCompile(`^\.mesh-controller\.(.+)\.(part|next|back|gone)\.([0-9a-f]{16}|none|other)\.([0-9a-f]{16}|none|other)\.[0-9a-f]{16}$`)
	numbered := regexp.MustCompile(`^\.mesh-controller\..+\.[0-9a-f]{16}$`)
	words := []string{
		".mesh-controller", ".", "..", "", "a", "agent.json", "part", "next", "back", "gone", "none", "other",
		"0123456789abcdef", "0123456789abcde", "0123456789abcdeF", "é",
	}
	r := rand.New(rand.NewPCG(1, 2))
	hits := 0
	for range 300_000 {
		parts := []string{".mesh-controller", "a", "next", "none", "0123456789abcdef", "0123456789abcdef"}
		for range r.IntN(3) {
			i, w := r.IntN(len(parts)), words[r.IntN(len(words))]
			switch r.IntN(3) {
			case 0:
				parts[i] = w
			case 1:
				parts = append(parts[:i:i], parts[i+1:]...)
			default:
				parts = append(parts[:i:i], append([]string{w}, parts[i:]...)...)
			}
		}
		name := strings.Join(parts, ".")
		var want label
		m := named.FindStringSubmatch(name)
		ok := m != nil
		if ok {
			want = label{role(m[2]), m[1], mark(m[3]), mark(m[4])}
			ok = want.base != "." && want.base != ".." && !IsTemp(want.base)
			hits++
		}
		if l, got := parseLabel(name); got != ok || got && l != want {
			t.Fatalf("%q is %+v, %t, want %+v, %t", name, l, got, want, ok)
		}
		if got := unlabelled(name); got != numbered.MatchString(name) {
			t.Fatalf("%q has a number: %t", name, got)
		}
	}
	if hits == 0 {
		t.Error("no name was one")
	}
}
