package daemon

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/store"
)

// patient is a daemon's health with every organ in the test's hands.
type patient struct {
	health
	clock           time.Time
	moved           time.Time
	sweep           chan struct{}
	wrote           time.Time
	locked, unclear error
	proofs          int
}

func newPatient() *patient {
	p := &patient{clock: time.Unix(1e9, 0), sweep: make(chan struct{})}
	p.moved = p.clock
	p.health = health{
		now: func() time.Time { return p.clock }, progress: func() time.Time { return p.moved }, swept: p.sweep,
		writable:      func(context.Context) error { p.proofs++; return p.locked },
		written:       func() time.Time { return p.wrote },
		relayReadable: func(context.Context) error { return p.unclear },
	}
	return p
}

func (p *patient) ask(path string) (int, string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", path, nil)
	if strings.HasPrefix(path, "/healthz") {
		p.serveLive(w, r)
	} else {
		p.serveReady(w, r)
	}
	return w.Code, w.Body.String()
}

func TestLiveAsLongAsTheLoopMoves(t *testing.T) {
	p := newPatient()
	p.clock = p.clock.Add(stalledAfter)
	if code, _ := p.ask("/healthz"); code != 200 {
		t.Errorf("%d within the time", code)
	}
	p.clock = p.clock.Add(time.Second)
	if code, body := p.ask("/healthz"); code != 503 || !strings.Contains(body, "no progress for 1m1s") {
		t.Errorf("%d %q after the time", code, body)
	}
}

func TestReady(t *testing.T) {
	p := newPatient()
	if code, body := p.ask("/readyz"); code != 503 || !strings.Contains(body, "[-] sweep: the first sweep has not ended") {
		t.Errorf("before the first sweep: %d %q", code, body)
	}
	close(p.sweep)
	if code, body := p.ask("/readyz"); code != 200 || body != "ok\n" {
		t.Errorf("after it: %d %q", code, body)
	}
	_, body := p.ask("/readyz?verbose")
	if diff := cmp.Diff("[+] sweep ok\n[+] index ok\n[+] relay ok\n", body); diff != "" {
		t.Errorf("verbose (-want +got):\n%s", diff)
	}
	p.unclear = errors.New("rules do not parse")
	if code, body := p.ask("/readyz"); code != 503 || !strings.Contains(body, "[-] relay: rules do not parse") {
		t.Errorf("relay degraded: %d %q", code, body)
	}
}

// An index that is busy for a moment is still ready; one that was not writable
// for 30 s is not.
func TestReadyWhileTheIndexIsBusy(t *testing.T) {
	p := newPatient()
	close(p.sweep)
	at := func(d time.Duration) int {
		p.clock = time.Unix(1e9, 0).Add(d)
		code, _ := p.ask("/readyz")
		return code
	}
	if code := at(0); code != 200 || p.proofs != 1 {
		t.Errorf("%d after %d proofs", code, p.proofs)
	}
	if code := at(9 * time.Second); code != 200 || p.proofs != 1 {
		t.Errorf("%d after %d proofs: a young proof is not repeated", code, p.proofs)
	}
	p.locked = errors.New("database is locked")
	if code := at(29 * time.Second); code != 200 || p.proofs != 2 {
		t.Errorf("%d after %d proofs: busy for less than 30 s", code, p.proofs)
	}
	if code := at(30 * time.Second); code != 503 {
		t.Errorf("%d: busy for 30 s", code)
	}
	p.locked = nil
	if code := at(31 * time.Second); code != 200 {
		t.Errorf("%d: free again", code)
	}
}

func TestReadyDoesNotWaitForWhatHangs(t *testing.T) {
	p := newPatient()
	close(p.sweep)
	hang := make(chan struct{})
	defer close(hang)
	p.relayReadable = func(context.Context) error { <-hang; return nil }
	began := time.Now()
	if code, body := p.ask("/readyz"); code != 503 || !strings.Contains(body, "no answer within 2s") {
		t.Errorf("%d %q", code, body)
	}
	if took := time.Since(began); took > 2*checkWithin {
		t.Errorf("took %s", took)
	}
}

// A write that landed proves as much as a check does.
func TestAWriteProvesTheIndex(t *testing.T) {
	p := newPatient()
	close(p.sweep)
	p.locked = errors.New("locked")
	p.wrote = p.clock.Add(-writableWithin + time.Second)
	if code, body := p.ask("/readyz?verbose"); code != 200 {
		t.Errorf("%d %s", code, body)
	}
	p.locked = &store.UnusableError{Path: "/x", Kind: store.ErrCorrupt}
	if code, _ := p.ask("/readyz"); code != 503 {
		t.Errorf("%d of an index that is corrupt", code)
	}
	p.locked = errors.New("locked")
	p.clock = p.clock.Add(time.Second)
	if code, _ := p.ask("/readyz"); code != 503 {
		t.Errorf("%d when the proof is over", code)
	}
}
