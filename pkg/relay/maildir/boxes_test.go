package maildir

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Names come and go, twins in letter case among them, and each is found.
func TestBoxesAreFoundByName(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	bs := newBoxes()
	there := map[string]bool{}
	for step := range 5000 {
		name := fmt.Sprintf("relay.agent.n.%d%c%c", r.IntN(8), "aA"[r.IntN(2)], "bB"[r.IntN(2)])
		if r.IntN(4) == 0 {
			name += "ÄÖ"
		}
		switch {
		case !there[name]:
			bs.add(name)
			there[name] = true
		case r.IntN(2) == 0:
			bs.remove(bs.find(name))
			delete(there, name)
		}
		if len(bs.all) != len(there) {
			t.Fatalf("step %d: %d names of %d", step, len(bs.all), len(there))
		}
		twin := false
		for other := range there {
			i := bs.find(other)
			if i < 0 || string(bs.all[i].name) != other {
				t.Fatalf("step %d: %s is at %d", step, other, i)
			}
			twin = twin || other != name && strings.EqualFold(other, name)
		}
		if v := bs.variant(name); (v != nil) != twin || (bs.find(name) >= 0) != there[name] {
			t.Fatalf("step %d: %s has the variant %v, found at %d", step, name, v, bs.find(name))
		}
	}
}

// Of two that differ in letter case only one is made, also when both are made
// at once.
func TestCaseTwinsAtOnce(t *testing.T) {
	h := newHome(t)
	for i := range 100 {
		var errs [2]error
		var wg sync.WaitGroup
		for k, id := range []string{"a", "A"} {
			wg.Go(func() { errs[k] = h.EnsureEndpoint(t.Context(), agent.SubjectOf("n", agent.ID(fmt.Sprint(i)+id))) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: %v", i, errors.Join(errs[:]...))
		}
	}
}
