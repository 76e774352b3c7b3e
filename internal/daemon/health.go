package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/store"
)

// How health is told.
const (
	// stalledAfter is longer than any one handling may take: a probe's deadline,
	// a busy index and a batch of relay writes together stay below it. Smaller
	// would restart a daemon beside a slow disk.
	stalledAfter = time.Minute
	// writableWithin is how old the last proof that the index takes writes may
	// be; another process may hold it for a while.
	writableWithin = 30 * time.Second
	// proofLasts: a younger proof is not repeated, so that probes of readiness
	// do not keep opening the database.
	proofLasts = 10 * time.Second
	// checkWithin bounds one check of readiness.
	checkWithin = 2 * time.Second
)

// health answers whether the daemon lives and whether it does its work.
type health struct {
	now           func() time.Time
	progress      func() time.Time
	swept         <-chan struct{}
	writable      func(context.Context) error
	written       func() time.Time // when the index last took a write; zero: never
	relayReadable func(context.Context) error

	mu     sync.Mutex
	proven time.Time // when the index last would have taken a write
}

// live is an error when the worker loop has stopped.
func (h *health) live() error {
	if stood := h.now().Sub(h.progress()); stood > stalledAfter {
		return fmt.Errorf("no progress for %s", stood.Round(time.Second))
	}
	return nil
}

// check is one condition of readiness.
type check struct {
	name string
	err  error
}

func (h *health) ready(ctx context.Context) []check {
	return []check{
		{"sweep", h.sweepDone()},
		{"index", h.indexWritable(ctx)},
		{"relay", bounded(ctx, checkWithin, h.relayReadable)},
	}
}

func (h *health) sweepDone() error {
	select {
	case <-h.swept:
		return nil
	default:
		return fmt.Errorf("the first sweep has not ended")
	}
}

func (h *health) indexWritable(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now().Sub(h.proven) < proofLasts {
		return nil
	}
	err := bounded(ctx, checkWithin, h.writable)
	if err == nil {
		h.proven = h.now()
		return nil
	}
	// A write that landed proves as much as a check. What no waiting mends is told
	// at once.
	last := h.proven
	if at := h.written(); at.After(last) {
		last = at
	}
	_, unusable := errors.AsType[*store.UnusableError](err)
	if !unusable && !last.IsZero() && h.now().Sub(last) < writableWithin {
		return nil
	}
	return err
}

func (h *health) serveLive(w http.ResponseWriter, _ *http.Request) {
	if err := h.live(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// serveReady answers 200 or 503, with ?verbose a line per check.
func (h *health) serveReady(w http.ResponseWriter, r *http.Request) {
	checks := h.ready(r.Context())
	status, lines := http.StatusOK, &strings.Builder{}
	for _, c := range checks {
		if c.err != nil {
			status = http.StatusServiceUnavailable
			fmt.Fprintf(lines, "[-] %s: %v\n", c.name, c.err)
		} else {
			fmt.Fprintf(lines, "[+] %s ok\n", c.name)
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	switch {
	case r.URL.Query().Has("verbose") || status != http.StatusOK:
		fmt.Fprint(w, lines)
	default:
		fmt.Fprintln(w, "ok")
	}
}
