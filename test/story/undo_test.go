package story

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/test/world"
)

// heldIndex answers no write for as long as it is held.
type heldIndex struct {
	controller.Index
	held atomic.Bool
}

func (x *heldIndex) Commit(ctx context.Context, changes []agent.Change) ([]error, error) {
	if !x.held.Load() {
		return x.Index.Commit(ctx, changes)
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(7 * time.Second):
		return nil, errors.New("database is locked")
	}
}

// Taking an order back waits for the index in vain; the file is as it was all the
// same.
func TestALockedIndexCostsNoManifest(t *testing.T) {
	now := time.Now()
	synctest.Test(t, func(t *testing.T) {
		s := &story{T: t, w: world.New(t), faults: newFaults()}
		s.w.Boot.SetNow(now)
		var x heldIndex
		s.w.Wrap = func(p *controller.Ports) { x.Index = p.Index; p.Index = &x }
		doManifest(s, []string{"projects/x/one", "A"})
		doMkdir(s, []string{"projects/x/two"})
		s.w.Start()
		defer s.w.Stop()
		synctest.Wait()
		file := s.path("projects/x/one") + "/.dork/agent.json"
		before, err := os.ReadFile(file)
		s.must(err)
		x.held.Store(true)
		if _, err := s.w.Loop().Update(t.Context(), controller.UpdateRequest{Target: "A", Set: []string{"name=new"}}); err == nil {
			t.Error("the update was acknowledged")
		}
		if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
			t.Errorf("the manifest is %s, %v", after, err)
		}
		req := controller.RegisterRequest{Path: s.path("projects/x/two"), Name: "two", Runtime: "codex"}
		if _, err := s.w.Loop().Register(t.Context(), req); err == nil {
			t.Error("the registration was acknowledged")
		}
		if _, err := os.Stat(s.path("projects/x/two") + "/.dork"); !os.IsNotExist(err) {
			t.Errorf("something is left: %v", err)
		}
		x.held.Store(false)
	})
}
