package controller

import (
	"context"
	"slices"
	"sync"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// quarantineAfter panics in a row a key is left alone until its evidence
// changes or a resync is forced.
const quarantineAfter = 5

// quarantine counts panics.
type quarantine struct {
	mu     sync.Mutex
	panics map[agent.ID]int
}

func newQuarantine() *quarantine { return &quarantine{panics: map[agent.ID]int{}} }

func (q *quarantine) count(id agent.ID) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.panics[id]++
	return q.panics[id]
}

func (q *quarantine) holds(id agent.ID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.panics[id] >= quarantineAfter
}

func (q *quarantine) release(id agent.ID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.panics, id)
}

func (q *quarantine) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, p := range q.panics {
		if p >= quarantineAfter {
			n++
		}
	}
	return n
}

// listQuarantined makes a problem of a key that has just been left alone, for
// everybody to see. The next plan of the key, when its evidence changes, on a
// full resync or after a restart, takes it off again.
func (c *Controller) listQuarantined(ctx context.Context, t *task) {
	if err := guard(func() error { return c.recordQuarantine(ctx, t) }); err != nil && ctx.Err() == nil {
		c.log.Warn("list a quarantined agent", zap.String("agent_id", clip(string(t.id))), zap.Error(err))
	}
}

func (c *Controller) recordQuarantine(ctx context.Context, t *task) error {
	c.applying.Lock()
	defer c.applying.Unlock()
	views, _, err := c.ports.Index.Read(ctx, []agent.ID{t.id}, nil)
	if err != nil {
		return err
	}
	view := views[t.id]
	problem := agent.Problem{
		ID: t.id, Path: c.placeOf(t.id, &view), Reason: agent.Quarantined,
		Message: "handling it panicked five times in a row: it is left alone until its file changes or a full sync",
	}
	if slices.ContainsFunc(view.Problems, func(p agent.Problem) bool { return p.Reason == agent.Quarantined }) {
		return nil
	}
	now, _ := c.ports.Clock.Read()
	change := agent.Change{
		ID: t.id, At: now, Expected: view.Row, SetProblems: true, Problems: append(view.Problems, problem),
		Events: []agent.Event{{At: now.Wall, ID: t.id, Reason: agent.Quarantined, Path: problem.Path, Message: problem.Message}},
	}
	errs, err := c.ports.Index.Commit(ctx, []agent.Change{change})
	if err == nil {
		err = errs[0]
	}
	return err
}

// placeOf is where an id is at home, else where it was seen; "" for neither.
func (c *Controller) placeOf(id agent.ID, view *agent.View) string {
	if view.Row != nil {
		return view.Row.Path
	}
	if seen := c.current.Load().claims(id, ""); len(seen) > 0 {
		return seen[0]
	}
	return ""
}
