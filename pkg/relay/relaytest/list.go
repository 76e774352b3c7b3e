package relaytest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

func testListQuiet(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme, bobAcme)
	ensureRules(t, h, "acme")
	wantChanged(t, h, ada, bob) // the first compares with nothing
	first, _ := list(t, h.Backend)
	for range 3 {
		l, changed := list(t, h.Backend)
		if l != first || len(changed) > 0 {
			t.Errorf("another listing (%t), changed %v", l != first, changed)
		}
	}
	h.Deliver(adaAcme, "1", "mail is no change")
	wantChanged(t, h)
}

func testListOwn(t *testing.T, h *Harness) {
	list(t, h.Backend)
	b, ctx := h.Backend, t.Context()
	ensure(t, h, adaAcme, bobAcme)
	ensureRules(t, h, "acme", "other")
	wantChanged(t, h)
	ok(t, b.Readdress(ctx, adaAcme, adaOther))
	wantChanged(t, h)
	h.Deliver(bobAcme, "1", "one")
	ok(t, b.Retire(ctx, bobAcme, now))
	ok(t, b.RemoveRules(ctx, []relay.Removal{{Namespace: "acme"}}))
	wantChanged(t, h)
	ensure(t, h, bobAcme)
	ok(t, b.Restore(ctx, bob, bobAcme))
	ok(t, b.EnsureRules(ctx, []relay.Rules{{Namespace: "acme", System: true}}))
	wantChanged(t, h)
	ok(t, b.RemoveRules(ctx, []relay.Removal{{Namespace: "acme", SystemOnly: true}}))
	wantChanged(t, h)
	wantEndpoints(t, b, adaOther, bobAcme)
	wantSet(t, h, "acme", base)
}

func testListForeign(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme, bobAcme)
	list(t, h.Backend)
	h.Vanish(adaAcme)
	wantChanged(t, h, ada)
	wantChanged(t, h)
	h.Damage(bobAcme)
	wantChanged(t, h, bob)
	wantChanged(t, h)
	ensure(t, h, bobAcme)
	wantChanged(t, h)
	ok(t, h.Reopen().EnsureEndpoint(t.Context(), adaAcme))
	wantChanged(t, h, ada)
	// What we made and somebody removed before we looked is a change.
	ensure(t, h, adaOther)
	h.Vanish(adaOther)
	wantChanged(t, h, ada)
}

func testListRules(t *testing.T, h *Harness) {
	ensure(t, h, adaOther, bobAcme)
	ensureRules(t, h, "acme", "other")
	list(t, h.Backend)
	rules := h.Rules()
	h.SetRules(append([]agent.Rule{grant}, rules...))
	wantChanged(t, h) // a foreign rule is nobody's
	h.SetRules([]agent.Rule{allow("acme"), allow("other"), deny("other")})
	wantChanged(t, h, bob)
	wantChanged(t, h)
	h.SetRules(nil)
	wantChanged(t, h, ada, bob)
	ensureRules(t, h, "acme", "other")
	h.SetRules([]agent.Rule{allow("acme"), deny("acme")}) // ours was overwritten
	wantChanged(t, h, ada)
	// Also when the file is again exactly what the last List saw.
	ensureRules(t, h, "other")
	h.SetRules([]agent.Rule{allow("acme"), deny("acme")})
	wantChanged(t, h, ada)
}

// A write of ours must not hide what another changed since the last List.
func testListBeside(t *testing.T, h *Harness) {
	ensure(t, h, adaOther, bobAcme)
	ensureRules(t, h, "acme", "other")
	list(t, h.Backend)
	h.SetRules([]agent.Rule{allow("acme"), allow("other"), deny("other")})
	ok(t, h.Backend.EnsureRules(t.Context(), []relay.Rules{{Namespace: "other", System: true}}))
	wantChanged(t, h, bob)
}

func testListImmutable(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme)
	ensureRules(t, h, "acme")
	l, _ := list(t, h.Backend)
	before := agent.RelayListing{
		Endpoints: append(agent.Endpoints(nil), l.Endpoints...),
		Rules:     map[string]agent.RuleSet{"acme": base},
	}
	ensure(t, h, bobAcme)
	h.Damage(adaAcme)
	ok(t, h.Backend.RemoveRules(t.Context(), []relay.Removal{{Namespace: "acme"}}))
	list(t, h.Backend)
	if diff := cmp.Diff(&before, l); diff != "" {
		t.Errorf("the listing that was handed out changed (-before +after):\n%s", diff)
	}
}
