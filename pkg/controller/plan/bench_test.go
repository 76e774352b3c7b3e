package plan_test

import (
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// BenchmarkCompute is the decision about a steady active agent: nothing to do.
func BenchmarkCompute(b *testing.B) {
	o := steady()
	b.ReportAllocs()
	for b.Loop() {
		if p := plan.Compute(o, daemon); p.Pending() {
			b.Fatal(digest(p))
		}
	}
}
