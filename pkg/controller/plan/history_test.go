package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// TestHistoryTellsWhenAHoldEnds: whoever reads the history at night sees until
// when an agent is kept.
func TestHistoryTellsWhenAHoldEnds(t *testing.T) {
	until := func(d time.Duration) string { return "until " + agent.FormatTime(now.Wall.Add(d)) }
	for _, c := range []struct {
		name   string
		see    func(o *plan.Observation, p *plan.Policy)
		reason agent.Reason
		want   string
	}{
		{"volume", func(o *plan.Observation, _ *plan.Policy) { gone(o); with(o.Home, onStick) }, agent.VolumeMissing, "; kept " + until(unmounted)},
		{"volume, for ever", func(o *plan.Observation, p *plan.Policy) {
			gone(o)
			with(o.Home, onStick)
			p.UnmountedGrace = 0
		}, agent.VolumeMissing, "; kept until it returns"},
		{"mass", func(o *plan.Observation, _ *plan.Policy) { gone(o); massHold(o, time.Minute) }, agent.MassMissing, " is held " + until(24*time.Hour)},
		{"neither", func(o *plan.Observation, _ *plan.Policy) { gone(o) }, agent.PathMissing, "ENOENT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, p := steady(), daemon
			c.see(&o, &p)
			events := plan.Compute(o, p).Change.Events
			i := slices.IndexFunc(events, func(e agent.Event) bool { return e.Reason == c.reason })
			if i < 0 || !strings.HasSuffix(events[i].Message, c.want) {
				t.Errorf("%+v, want one of %s that ends in %q", events, c.reason, c.want)
			}
		})
	}
}
