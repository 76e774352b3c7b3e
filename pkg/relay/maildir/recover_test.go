package maildir

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// An edit of ours that died between its exchange and its look has displaced
// somebody's save: the first look at the rules puts that back.
func TestCrashedEditIsUndone(t *testing.T) {
	h := newHome(t)
	const before, ours, saved = "[]", "[" + allowA + "]", "[" + denyA + "]"
	h.setText(ours)
	left := fmt.Sprintf(".mesh-controller.access-rules.json.next.%016x.%016x.0123456789abcdef",
		xxhash.Sum64String(before), xxhash.Sum64String(ours))
	h.must(os.WriteFile(filepath.Join(h.dir, left), []byte(saved), 0o600))
	l, _, err := h.List(t.Context())
	h.must(err)
	if h.text() != saved || !l.Rules["a"].Deny || l.Rules["a"].Allow {
		t.Errorf("holds %s, listed %+v", h.text(), l.Rules)
	}
	entries, err := os.ReadDir(h.dir)
	h.must(err)
	if len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
}
