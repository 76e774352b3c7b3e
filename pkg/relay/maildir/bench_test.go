package maildir

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// BenchmarkList10k is a quiet List: 10,000 mailboxes, 1,000 namespaces, nothing
// changed and every stamp settled.
func BenchmarkList10k(b *testing.B) {
	r := filled(b, 10_000)
	r.now = func() time.Time { return time.Now().Add(time.Hour) }
	r.rules.now = r.now
	ctx := b.Context()
	if _, _, err := r.List(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, changed, err := r.List(ctx)
		if err != nil || len(changed) > 0 {
			b.Fatal(changed, err)
		}
	}
}

func BenchmarkEnsureEndpoint(b *testing.B) {
	b.Run("new", func(b *testing.B) {
		r := filled(b, 0)
		for i := 0; b.Loop(); i++ {
			if err := r.EnsureEndpoint(b.Context(), subject(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("there", func(b *testing.B) {
		r := filled(b, 1)
		for b.Loop() {
			if err := r.EnsureEndpoint(b.Context(), subject(0)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkHeld10k says what a relay of 10,000 mailboxes holds in memory for
// each, and what its listing holds beside that.
func BenchmarkHeld10k(b *testing.B) {
	for b.Loop() {
		r := filled(b, 0)
		r.boxes.listed = true
		none := heap()
		for i := range 10_000 {
			r.boxes.made(subject(i))
		}
		held := heap()
		l := r.build()
		b.ReportMetric(float64(held-none)/10_000, "B/mailbox")
		b.ReportMetric(float64(heap()-held)/10_000, "B/listed")
		runtime.KeepAlive(l)
		runtime.KeepAlive(r)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkEnsureRules adds one namespace to a file of a thousand.
func BenchmarkEnsureRules(b *testing.B) {
	r := filled(b, 10_000)
	for b.Loop() {
		if err := r.EnsureRules(b.Context(), []relay.Rules{{Namespace: "one"}}); err != nil {
			b.Fatal(err)
		}
		if err := r.RemoveRules(b.Context(), []relay.Removal{{Namespace: "one"}}); err != nil {
			b.Fatal(err)
		}
	}
}

func subject(i int) agent.Subject {
	return agent.SubjectOf(fmt.Sprintf("n%d", i/10), agent.ID(fmt.Sprintf("01M0CM31T03H0107E1QE%06d", i)))
}

func filled(b *testing.B, n int) *Relay {
	b.Helper()
	r, err := New(Options{Dir: b.TempDir(), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	var batch []relay.Rules
	for i := range n {
		if err := r.EnsureEndpoint(b.Context(), subject(i)); err != nil {
			b.Fatal(err)
		}
		if i%10 == 0 {
			batch = append(batch, relay.Rules{Namespace: fmt.Sprintf("n%d", i/10)})
		}
	}
	if err := r.EnsureRules(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	return r
}
