package relaytest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// The cast.
const (
	ada = agent.ID("01ADA")
	bob = agent.ID("01BOB")
)

var (
	adaAcme  = agent.SubjectOf("acme", ada)
	adaOther = agent.SubjectOf("other", ada)
	bobAcme  = agent.SubjectOf("acme", bob)
	now      = time.Date(2026, 11, 24, 23, 30, 0, 0, time.UTC)
)

// grant is a rule that a user made.
var grant = agent.Rule{From: "relay.agent.acme.*", To: "relay.agent.other.*", Action: agent.Allow, Priority: 50}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ensure(t *testing.T, h *Harness, subjects ...agent.Subject) {
	t.Helper()
	for _, s := range subjects {
		ok(t, h.Backend.EnsureEndpoint(t.Context(), s))
	}
}

func ensureRules(t *testing.T, h *Harness, namespaces ...string) {
	t.Helper()
	var batch []relay.Rules
	for _, ns := range namespaces {
		batch = append(batch, relay.Rules{Namespace: ns})
	}
	ok(t, h.Backend.EnsureRules(t.Context(), batch))
}

func list(t *testing.T, b relay.Backend) (*agent.RelayListing, []agent.ID) {
	t.Helper()
	l, changed, err := b.List(t.Context())
	ok(t, err)
	return l, changed
}

// wantEndpoints checks the listing and the fresh look alike.
func wantEndpoints(t *testing.T, b relay.Backend, want ...agent.Subject) {
	t.Helper()
	l, _ := list(t, b)
	var got []agent.Subject
	for id, endpoints := range l.Endpoints.ByID() {
		for _, e := range endpoints {
			got = append(got, e.Subject)
			if _, of, _ := agent.ParseSubject(string(e.Subject)); of != id || !e.Whole || e.In == "" {
				t.Errorf("listed under %s: %+v", id, e)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	fresh, err := b.Endpoints(t.Context(), []agent.Subject{adaAcme, adaOther, bobAcme})
	ok(t, err)
	var seen []agent.Subject
	for _, e := range fresh {
		seen = append(seen, e.Subject)
	}
	slices.Sort(seen)
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("fresh look (-want +got):\n%s", diff)
	}
}

func wantMail(t *testing.T, h *Harness, s agent.Subject, contents ...string) {
	t.Helper()
	var got []string
	for _, c := range h.Mail(s) {
		got = append(got, c)
	}
	slices.Sort(got)
	slices.Sort(contents)
	if diff := cmp.Diff(contents, got); diff != "" {
		t.Errorf("mail of %s (-want +got):\n%s", s, diff)
	}
}

func wantKept(t *testing.T, h *Harness, want int) {
	t.Helper()
	if got := h.Kept(); got != want {
		t.Errorf("%d letters kept aside, want %d", got, want)
	}
}

func wantRules(t *testing.T, h *Harness, want ...agent.Rule) {
	t.Helper()
	if diff := cmp.Diff(want, h.Rules(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func wantSet(t *testing.T, h *Harness, ns string, want agent.RuleSet) {
	t.Helper()
	sets, err := h.Backend.NamespaceRules(t.Context(), []string{ns})
	ok(t, err)
	if sets[ns] != want {
		t.Errorf("rules of %s: %+v, want %+v", ns, sets[ns], want)
	}
	l, _ := list(t, h.Backend)
	if l.Rules[ns] != want {
		t.Errorf("listed rules of %s: %+v, want %+v", ns, l.Rules[ns], want)
	}
}

func wantChanged(t *testing.T, h *Harness, want ...agent.ID) {
	t.Helper()
	_, got := list(t, h.Backend)
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changed ids (-want +got):\n%s", diff)
	}
}

// unchanged runs f and checks that it wrote nothing at all.
func unchanged(t *testing.T, h *Harness, f func()) {
	t.Helper()
	before, writes := h.State(), h.Writes()
	f()
	if diff := cmp.Diff(before, h.State()); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
	if h.Writes() != writes {
		t.Errorf("%d rewrites of the rules", h.Writes()-writes)
	}
}

func many(n int) (batch []relay.Rules) {
	for i := range n {
		batch = append(batch, relay.Rules{Namespace: fmt.Sprintf("n%d", i)})
	}
	return batch
}
