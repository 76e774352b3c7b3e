package relaytest

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

var base = agent.RuleSet{Deny: true, Allow: true}

func deny(ns string) agent.Rule      { return agent.BaseRules(ns)[0] }
func allow(ns string) agent.Rule     { return agent.BaseRules(ns)[1] }
func systemOut(ns string) agent.Rule { return agent.SystemRules(ns)[0] }
func systemIn(ns string) agent.Rule  { return agent.SystemRules(ns)[1] }

func testRulesPlace(t *testing.T, h *Harness) {
	high := agent.Rule{From: "a", To: "b", Action: agent.Deny, Priority: 300}
	low := agent.Rule{From: "a", To: "b", Action: agent.Deny, Priority: 1}
	h.SetRules([]agent.Rule{high, allow("other"), grant, deny("other"), low})
	ok(t, h.Backend.EnsureRules(t.Context(), []relay.Rules{{Namespace: "acme", System: true}}))
	wantRules(t, h, high, systemOut("acme"), systemIn("acme"), allow("other"), allow("acme"), grant, deny("other"), deny("acme"), low)
	wantSet(t, h, "acme", agent.RuleSet{Deny: true, Allow: true, SystemOut: true, SystemIn: true})
}

func testRulesTwice(t *testing.T, h *Harness) {
	ensureRules(t, h, "acme", "other", "acme")
	wantRules(t, h, allow("acme"), allow("other"), deny("acme"), deny("other"))
	unchanged(t, h, func() { ensureRules(t, h, "other", "acme") })
	if h.Writes() != 1 {
		t.Errorf("%d writes", h.Writes())
	}
}

func testRulesBatch(t *testing.T, h *Harness) {
	ok(t, h.Backend.EnsureRules(t.Context(), many(100)))
	if n := len(h.Rules()); n != 200 || h.Writes() != 1 {
		t.Errorf("%d rules in %d writes", n, h.Writes())
	}
	var all []relay.Removal
	for _, b := range many(100) {
		all = append(all, relay.Removal{Namespace: b.Namespace})
	}
	ok(t, h.Backend.RemoveRules(t.Context(), all))
	if n := len(h.Rules()); n != 0 || h.Writes() != 2 {
		t.Errorf("%d rules in %d writes", n, h.Writes())
	}
	unchanged(t, h, func() { ok(t, h.Backend.RemoveRules(t.Context(), all)) })
}

func testRulesHalf(t *testing.T, h *Harness) {
	h.SetRules([]agent.Rule{allow("acme"), grant})
	wantSet(t, h, "acme", agent.RuleSet{Allow: true})
	ensureRules(t, h, "acme")
	wantRules(t, h, allow("acme"), grant, deny("acme"))
	wantSet(t, h, "acme", base)
}

func testRulesRemove(t *testing.T, h *Harness) {
	// Close to ours, and none of them ours.
	foreign := []agent.Rule{
		{From: "relay.agent.acme.*", To: "relay.agent.>", Action: agent.Allow, Priority: 10},
		{From: "relay.agent.acme.*", To: "relay.agent.acme.*", Action: agent.Allow, Priority: 99},
		{From: "relay.agent.acme.*", To: "relay.agent.other.*", Action: agent.Allow, Priority: 100},
		{From: "relay.agent.acme.x", To: "relay.agent.>", Action: agent.Deny, Priority: 10},
	}
	h.SetRules(append([]agent.Rule{deny("acme"), allow("acme"), deny("other")}, append(slices.Clone(foreign), allow("acme"), systemIn("acme"))...))
	ok(t, h.Backend.RemoveRules(t.Context(), []relay.Removal{{Namespace: "acme"}}))
	wantRules(t, h, append([]agent.Rule{deny("other")}, foreign...)...)
	wantSet(t, h, "acme", agent.RuleSet{})
}

func testRulesSystem(t *testing.T, h *Harness) {
	ok(t, h.Backend.EnsureRules(t.Context(), []relay.Rules{{Namespace: "acme", System: true}}))
	ok(t, h.Backend.RemoveRules(t.Context(), []relay.Removal{{Namespace: "acme", SystemOnly: true}}))
	wantRules(t, h, allow("acme"), deny("acme"))
	wantSet(t, h, "acme", base)
}

// Whoever looks at any moment never finds a namespace open.
func testDenyFirst(t *testing.T, h *Harness) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			sets, err := h.Backend.NamespaceRules(t.Context(), []string{"acme"})
			if err != nil || sets["acme"].Allow && !sets["acme"].Deny {
				t.Errorf("seen: %+v, %v", sets["acme"], err)
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for range 20 {
		ensureRules(t, h, "acme")
		ok(t, h.Backend.RemoveRules(t.Context(), []relay.Removal{{Namespace: "acme"}}))
	}
	close(done)
	wg.Wait()
}

func testConcurrentRules(t *testing.T, h *Harness) {
	second := h.Reopen() // another process
	var wg sync.WaitGroup
	for i, b := range many(20) {
		backend := h.Backend
		if i%2 == 1 {
			backend = second
		}
		wg.Go(func() {
			if err := backend.EnsureRules(t.Context(), []relay.Rules{b}); err != nil {
				t.Error(err)
			}
			if err := backend.RemoveRules(t.Context(), []relay.Removal{{Namespace: "gone"}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, b := range many(20) {
		wantSet(t, h, b.Namespace, base)
	}
}

func testDegraded(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme)
	ensureRules(t, h, "acme")
	list(t, h.Backend)
	h.Break(true)
	ctx := t.Context()
	unchanged(t, h, func() {
		_, errRules := h.Backend.NamespaceRules(ctx, []string{"acme"})
		for i, err := range []error{
			errRules,
			h.Backend.EnsureRules(ctx, many(1)),
			h.Backend.RemoveRules(ctx, []relay.Removal{{Namespace: "acme"}}),
		} {
			if !errors.Is(err, agent.ErrDegraded) {
				t.Errorf("call %d: err = %v, want ErrDegraded", i, err)
			}
		}
		l, changed := list(t, h.Backend)
		if l.Degraded == "" || len(l.Rules) > 0 || len(changed) > 0 {
			t.Errorf("listing %+v, changed %v", l, changed)
		}
		if again, _ := list(t, h.Backend); again != l {
			t.Error("a listing that did not change is another one")
		}
	})
	ensure(t, h, bobAcme) // addresses go on
	wantEndpoints(t, h.Backend, adaAcme, bobAcme)
	h.Break(false)
	wantChanged(t, h, ada, bob)
	wantChanged(t, h)
	wantSet(t, h, "acme", base)
}
