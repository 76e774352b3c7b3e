package relaytest

import (
	"errors"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

func wantDeferred(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, agent.ErrDeferred) {
		t.Errorf("err = %v, want ErrDeferred", err)
	}
}

func testDorkOSAdds(t *testing.T, h *Harness) {
	h.DorkOS(true)
	ensureRules(t, h, "acme")
	ensure(t, h, adaAcme)
	wantEndpoints(t, h.Backend, adaAcme)
	wantSet(t, h, "acme", base)
	ok(t, h.Backend.Readdress(t.Context(), bobAcme, adaOther)) // nothing to move
	ok(t, h.Backend.Retire(t.Context(), bobAcme, now))
	ok(t, h.Backend.RemoveRules(t.Context(), []relay.Removal{{Namespace: "empty"}}))
}

func testDorkOSReaddress(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme)
	h.Deliver(adaAcme, "1", "one")
	h.DorkOS(true)
	for range 2 {
		wantDeferred(t, h.Backend.Readdress(t.Context(), adaAcme, adaOther))
		wantEndpoints(t, h.Backend, adaAcme, adaOther)
		wantMail(t, h, adaAcme, "one")
	}
	h.DorkOS(false)
	ok(t, h.Backend.Readdress(t.Context(), adaAcme, adaOther))
	wantEndpoints(t, h.Backend, adaOther)
	wantMail(t, h, adaOther, "one")
}

func testDorkOSRetire(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme)
	h.DorkOS(true)
	unchanged(t, h, func() { wantDeferred(t, h.Backend.Retire(t.Context(), adaAcme, now)) })
	h.DorkOS(false)
	ok(t, h.Backend.Retire(t.Context(), adaAcme, now))
	wantEndpoints(t, h.Backend)
}

func testDorkOSRestart(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme, bobAcme)
	h.DorkOS(true)
	wantDeferred(t, h.Backend.Retire(t.Context(), adaAcme, now))
	h.DorkOS(true)
	ok(t, h.Backend.Retire(t.Context(), adaAcme, now))
	wantDeferred(t, h.Backend.Retire(t.Context(), bobAcme, now)) // asked for only now
}

func testDorkOSRules(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme)
	ensureRules(t, h, "acme", "other")
	h.DorkOS(true)
	unchanged(t, h, func() {
		wantDeferred(t, h.Backend.RemoveRules(t.Context(), []relay.Removal{{Namespace: "other"}, {Namespace: "acme"}}))
	})
	ok(t, h.Backend.RemoveRules(t.Context(), []relay.Removal{{Namespace: "other"}}))
	// The system rules go alone, unless somebody's mailbox waits there.
	system := []relay.Removal{{Namespace: "acme", SystemOnly: true}}
	ok(t, h.Backend.RemoveRules(t.Context(), system))
	wantDeferred(t, h.Backend.Retire(t.Context(), adaAcme, now))
	wantDeferred(t, h.Backend.RemoveRules(t.Context(), system))
	h.DorkOS(false)
	ok(t, h.Backend.RemoveRules(t.Context(), system))
	ok(t, h.Backend.RemoveRules(t.Context(), []relay.Removal{{Namespace: "acme"}}))
	wantRules(t, h)
}

func testDorkOSBack(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme)
	h.DorkOS(true)
	wantDeferred(t, h.Backend.Retire(t.Context(), adaAcme, now))
	ensure(t, h, adaAcme) // wanted again: the next run opens it
	h.DorkOS(true)
	wantDeferred(t, h.Backend.Retire(t.Context(), adaAcme, now))
}
