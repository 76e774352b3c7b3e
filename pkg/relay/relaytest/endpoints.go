package relaytest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

func testEmpty(t *testing.T, h *Harness) {
	wantEndpoints(t, h.Backend)
	l, changed := list(t, h.Backend)
	if len(changed) > 0 || l.Degraded != "" || len(l.Rules) > 0 {
		t.Errorf("listing %+v, changed %v", l, changed)
	}
	for _, f := range []func() error{
		func() error { return h.Backend.Retire(t.Context(), adaAcme, now) },
		func() error { return h.Backend.Restore(t.Context(), ada, adaAcme) },
		func() error {
			return h.Backend.RemoveRules(t.Context(), []relay.Removal{{Namespace: "acme"}})
		},
		func() error { return h.Backend.EnsureRules(t.Context(), nil) },
	} {
		unchanged(t, h, func() { ok(t, f()) })
	}
}

func testEnsureTwice(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme)
	unchanged(t, h, func() { ensure(t, h, adaAcme) })
	wantEndpoints(t, h.Backend, adaAcme)
}

func testRefuses(t *testing.T, h *Harness) {
	b, ctx := h.Backend, t.Context()
	unchanged(t, h, func() {
		for _, s := range []agent.Subject{"", "relay.inbox.x", "relay.agent.acme.*", "relay.agent.acme", "relay.agent.acme.x/../y", "relay.agent.codex.x", "relay.agent.ACME.x"} {
			for _, err := range []error{
				b.EnsureEndpoint(ctx, s), b.Retire(ctx, s, now), b.Restore(ctx, ada, s),
				b.Readdress(ctx, s, adaAcme), b.Readdress(ctx, adaAcme, s),
			} {
				if err == nil {
					t.Errorf("%q was taken", s)
				}
			}
		}
		for _, ns := range []string{"", "*", ">", "Acme", "a.b", "codex"} {
			if b.EnsureRules(ctx, []relay.Rules{{Namespace: ns}}) == nil || b.RemoveRules(ctx, []relay.Removal{{Namespace: ns}}) == nil {
				t.Errorf("namespace %q was taken", ns)
			}
		}
		if b.Restore(ctx, bob, adaAcme) == nil {
			t.Error("bob's mail would go to ada")
		}
	})
}

func testLetterCase(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme)
	if h.Backend.EnsureEndpoint(t.Context(), agent.SubjectOf("acme", "01ada")) == nil {
		t.Error("a second spelling was accepted")
	}
	wantEndpoints(t, h.Backend, adaAcme)
	ok(t, h.Backend.Retire(t.Context(), adaAcme, now))
	ensure(t, h, agent.SubjectOf("acme", "01ada"))
}

func testHalf(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme)
	h.Damage(adaAcme)
	l, _ := list(t, h.Backend)
	if e := l.Endpoints.Of(ada); len(e) != 1 || e[0].Whole {
		t.Errorf("listed as %+v", e)
	}
	fresh, err := h.Backend.Endpoints(t.Context(), []agent.Subject{adaAcme})
	if err != nil || len(fresh) != 1 || fresh[0].Whole {
		t.Errorf("seen as %+v, %v", fresh, err)
	}
	ensure(t, h, adaAcme)
	wantEndpoints(t, h.Backend, adaAcme)
}

func testOccupied(t *testing.T, h *Harness) {
	want := func(ns string, want bool) {
		t.Helper()
		got, err := h.Backend.Occupied(t.Context(), ns)
		if err != nil || got != want {
			t.Errorf("Occupied(%s) = %t, %v", ns, got, err)
		}
	}
	want("acme", false)
	ensure(t, h, adaAcme, bobAcme)
	want("acme", true)
	want("acm", false)
	ok(t, h.Backend.Retire(t.Context(), adaAcme, now))
	want("acme", true)
	ok(t, h.Backend.Retire(t.Context(), bobAcme, now))
	want("acme", false)
}

func testConcurrentEndpoints(t *testing.T, h *Harness) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if err := h.Backend.EnsureEndpoint(t.Context(), adaAcme); err != nil {
					t.Error(err)
				}
				if _, _, err := h.Backend.List(t.Context()); err != nil {
					t.Error(err)
				}
				if err := h.Backend.Retire(t.Context(), adaAcme, now); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	ensure(t, h, adaAcme)
	wantEndpoints(t, h.Backend, adaAcme)
}

func testReopen(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme, bobAcme)
	ensureRules(t, h, "acme")
	h.Deliver(adaAcme, "1", "one")
	h.Deliver(bobAcme, "2", "two")
	ok(t, h.Backend.Retire(t.Context(), bobAcme, now))
	h.Backend = h.Reopen()
	wantSet(t, h, "acme", agent.RuleSet{Deny: true, Allow: true})
	wantEndpoints(t, h.Backend, adaAcme)
	ensure(t, h, bobAcme)
	ok(t, h.Backend.Restore(t.Context(), bob, bobAcme))
	wantMail(t, h, adaAcme, "one")
	wantMail(t, h, bobAcme, "two")
}

func testContext(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := h.Backend
	unchanged(t, h, func() {
		_, _, errList := b.List(ctx)
		_, errEndpoints := b.Endpoints(ctx, []agent.Subject{adaAcme})
		_, errRules := b.NamespaceRules(ctx, nil)
		_, errOccupied := b.Occupied(ctx, "acme")
		for i, err := range []error{
			errList, errEndpoints, errRules, errOccupied,
			b.EnsureEndpoint(ctx, bobAcme), b.Readdress(ctx, adaAcme, adaOther), b.Retire(ctx, adaAcme, now),
			b.Restore(ctx, ada, adaAcme), b.EnsureRules(ctx, many(1)),
			b.RemoveRules(ctx, []relay.Removal{{Namespace: "acme"}}),
		} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("call %d: err = %v", i, err)
			}
		}
	})
}
