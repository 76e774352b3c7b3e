package archtest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
	"github.com/mesh-registry/mesh-controller/pkg/metrics"
)

var _ controller.Metrics = (*metrics.Metrics)(nil)

// An adapter may not import the planner, so the vocabulary stands twice.
func TestMetricsKnowEveryAction(t *testing.T) {
	var want []string
	for _, a := range plan.ActionTypes() {
		want = append(want, string(a))
	}
	got := slices.DeleteFunc(metrics.Actions(), func(a string) bool { return a == "other" })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics.Actions() (-want +got):\n%s", diff)
	}
}
