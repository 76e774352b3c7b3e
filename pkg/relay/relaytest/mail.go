package relaytest

import (
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func testReaddress(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme, bobAcme)
	h.Deliver(adaAcme, "1", "one")
	h.Deliver(adaAcme, "2", "two")
	for range 2 {
		ok(t, h.Backend.Readdress(t.Context(), adaAcme, adaOther))
		wantMail(t, h, adaOther, "one", "two")
		wantEndpoints(t, h.Backend, adaOther, bobAcme)
	}
	wantKept(t, h, 0)
	ok(t, h.Backend.Readdress(t.Context(), adaOther, adaOther))
	wantMail(t, h, adaOther, "one", "two")
}

// Two letters of one name are two letters.
func testReaddressMerges(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme, adaOther)
	h.Deliver(adaAcme, "1", "one of acme")
	h.Deliver(adaAcme, "2", "same")
	h.Deliver(adaOther, "1", "one of other")
	h.Deliver(adaOther, "2", "same")
	ok(t, h.Backend.Readdress(t.Context(), adaAcme, adaOther))
	wantMail(t, h, adaOther, "one of acme", "one of other", "same", "same")
	wantEndpoints(t, h.Backend, adaOther)
}

func testReaddressAbsent(t *testing.T, h *Harness) {
	ok(t, h.Backend.Readdress(t.Context(), adaAcme, adaOther))
	wantEndpoints(t, h.Backend, adaOther)
}

func testRetire(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme, bobAcme)
	h.Deliver(adaAcme, "1", "one")
	for range 2 {
		ok(t, h.Backend.Retire(t.Context(), adaAcme, now))
		wantKept(t, h, 1)
		wantEndpoints(t, h.Backend, bobAcme)
	}
	ok(t, h.Backend.Retire(t.Context(), bobAcme, now))
	wantKept(t, h, 1)
	wantEndpoints(t, h.Backend)
}

func testRestore(t *testing.T, h *Harness) {
	// Twice in the same instant, the second time with a letter of that name.
	for _, content := range []string{"one", "another"} {
		ensure(t, h, adaAcme)
		h.Deliver(adaAcme, "1", content)
		ok(t, h.Backend.Retire(t.Context(), adaAcme, now))
	}
	ensure(t, h, adaAcme)
	h.Deliver(adaAcme, "2", "later")
	ok(t, h.Backend.Retire(t.Context(), adaAcme, now.Add(time.Hour)))
	wantKept(t, h, 3)

	ensure(t, h, adaOther)
	h.Deliver(adaOther, "3", "new")
	wantKeptFor(t, h, ada)
	for range 2 {
		ok(t, h.Backend.Restore(t.Context(), ada, adaOther))
		wantMail(t, h, adaOther, "one", "another", "later", "new")
		wantKept(t, h, 0)
		wantKeptFor(t, h)
	}
	wantEndpoints(t, h.Backend, adaOther)
}

func testRestoreOwn(t *testing.T, h *Harness) {
	ensure(t, h, adaAcme, bobAcme)
	h.Deliver(bobAcme, "1", "bob's")
	ok(t, h.Backend.Retire(t.Context(), bobAcme, now))
	unchanged(t, h, func() { ok(t, h.Backend.Restore(t.Context(), ada, adaAcme)) })
	wantKept(t, h, 1)
}

// wantKeptFor checks whose mail the listing says is kept aside.
func wantKeptFor(t *testing.T, h *Harness, want ...agent.ID) {
	t.Helper()
	l, _, err := h.Backend.List(t.Context())
	ok(t, err)
	if len(l.Kept) != len(want) {
		t.Errorf("mail is kept for %v, want %v", l.Kept, want)
	}
	for _, id := range want {
		if !l.Kept[id] {
			t.Errorf("no mail is kept for %s", id)
		}
	}
}
