package story

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/test/world"
)

// A plan looks at everything and does nothing; it must not use up what a first
// sweep is for. So does a sync of one agent.
func TestFirstSweepIsForEverybody(t *testing.T) {
	for name, first := range map[string]func(*testing.T, *controller.Controller){
		"a plan before": func(t *testing.T, c *controller.Controller) {
			if p, err := c.Plan(t.Context(), controller.PlanRequest{}); err != nil || len(p.Changes) != 2 {
				t.Errorf("plan %+v, %v", p, err)
			}
		},
		"a named sync before": func(t *testing.T, c *controller.Controller) {
			if r, err := c.Sync(t.Context(), controller.SyncRequest{Targets: []string{"A"}}); err != nil || r.Counts.Discovered != 1 {
				t.Errorf("sync %+v, %v", r, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			synctest.Test(t, func(t *testing.T) {
				s := &story{T: t, w: world.New(t), faults: newFaults()}
				s.w.Boot.SetNow(now)
				s.w.Options.OneShot = true
				doManifest(s, []string{"projects/x/one", "A"})
				doManifest(s, []string{"projects/x/two", "B"})
				s.w.Start()
				defer s.w.Stop()
				first(t, s.w.Loop())
				r, err := s.w.Loop().Sync(t.Context(), controller.SyncRequest{})
				if err != nil || r.Counts.Agents != 2 || !r.Converged {
					t.Errorf("sync %+v, %v", r, err)
				}
			})
		})
	}
}
