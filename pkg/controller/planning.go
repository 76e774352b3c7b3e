package controller

import (
	"context"
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// Plan says what would be done and why, now or at a later time. It looks at
// everything afresh, changes nothing and needs neither Run nor a daemon.
func (c *Controller) Plan(ctx context.Context, req PlanRequest) (PlanResult, error) {
	tasks, err := c.rehearse(ctx, req.Targets)
	if err != nil {
		return PlanResult{}, err
	}
	now, _ := c.settling.read()
	result := PlanResult{At: Time(now.Wall), Changes: []PlanChange{}}
	if !req.At.IsZero() {
		result.At = Time(req.At)
		c.forecast(tasks, req)
	}
	for _, t := range tasks {
		if t.err != nil {
			return PlanResult{}, t.err
		}
		result.Pending = result.Pending || t.plan.Pending()
		if t.plan.Pending() || t.plan.Reason != agent.InSync {
			result.Changes = append(result.Changes, changeOf(&t.plan))
		}
	}
	if len(req.Targets) == 0 {
		result.Changes = append(result.Changes, placeChanges(c.current.Load())...)
	}
	return result, nil
}

// rehearse looks at everything and plans for the targets (none: everybody)
// without doing any of it.
func (c *Controller) rehearse(ctx context.Context, wanted []string) ([]*task, error) {
	c.sweeping.Lock()
	defer c.sweeping.Unlock()
	var stats agent.SweepStats
	s, err := c.look(ctx, SyncRequest{}, nil, &stats)
	if err != nil {
		return nil, err
	}
	c.current.Store(s)
	ids, err := c.selected(ctx, s, nil, SyncRequest{Targets: wanted})
	if err != nil {
		return nil, err
	}
	slices.Sort(ids)
	policy := c.options.Load().policy()
	policy.OneShot = true
	var tasks []*task
	for batch := range slices.Chunk(ids, batchSize) {
		some, err := c.observe(ctx, batch, new(room))
		if err != nil {
			return nil, err
		}
		for _, t := range some {
			if t.err == nil {
				t.obs.Looks = 2 // a sync would take its second look at once
				t.err = c.guarded(t.id, func() error { t.plan = plan.Compute(t.obs, policy); return nil })
			}
		}
		tasks = append(tasks, some...)
	}
	return tasks, c.ports.Index.Rest()
}

// forecast plans orphans again for a later time, as if what the plan for now
// says had been done and nothing else had happened.
func (c *Controller) forecast(tasks []*task, req PlanRequest) {
	policy := c.options.Load().policy()
	policy.Forecast = true
	for _, t := range tasks {
		if t.err == nil {
			c.ledger.planned(&t.plan, t.obs.Row, nil)
		}
	}
	s, holds := c.current.Load(), massHolds{}
	for _, t := range tasks {
		if t.err != nil || !t.plan.Absent.Absent() || t.plan.Record != nil {
			continue
		}
		o := t.obs
		if t.plan.Change.SetState {
			o.State = t.plan.Change.State
		}
		if t.plan.Change.Row != nil {
			o.Row = t.plan.Change.Row
		}
		if t.plan.Change.SetProblems {
			o.Problems = t.plan.Change.Problems
		}
		o.Now.Wall = req.At
		o.Mass = nil
		if o.Row != nil && o.Row.ScanRoot != "" {
			o.Mass = holds.of(o.Row.ScanRoot, func(root string) *plan.Hold { return c.mass(s, root, req.At) })
		}
		t.err = c.guarded(t.id, func() error { t.plan = plan.Compute(o, policy); return nil })
	}
}

// changeOf is a plan as it is printed: one line per field where there are any.
func changeOf(p *plan.Plan) PlanChange {
	c := PlanChange{ID: p.ID, Path: p.Path, Reason: p.Reason, Message: p.Message, Actions: []PlanAction{}, RemoveAt: Time(p.RemoveAt)}
	for i := range p.Actions {
		a := &p.Actions[i]
		for _, d := range a.Differences {
			c.Actions = append(c.Actions, PlanAction{Type: string(a.Type), Field: &d.Field, From: cellText(d.From), To: cellText(d.To)})
		}
		if len(a.Differences) == 0 {
			c.Actions = append(c.Actions, actionLine(a))
		}
	}
	return c
}

func cellText(c agent.Cell) *string {
	if c.Kind == agent.Null {
		return nil
	}
	return &c.Text
}

// placeChanges lists the problems of which no id is known.
func placeChanges(s *snapshot) []PlanChange {
	var list []PlanChange
	for _, p := range s.places() {
		list = append(list, PlanChange{Path: p.Path, Reason: p.Reason, Message: p.Message, Actions: []PlanAction{}})
	}
	slices.SortFunc(list, func(a, b PlanChange) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// actionLine is an action without fields: an address or a namespace.
func actionLine(a *plan.Action) PlanAction {
	line := PlanAction{Type: string(a.Type)}
	set := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	switch a.Type {
	case plan.EnsureEndpoint:
		line.To = set(string(a.Subject))
	case plan.RemoveEndpoint:
		line.From = set(string(a.Subject))
	case plan.MoveMail:
		line.From, line.To = set(string(a.From)), set(string(a.Subject))
	case plan.EnsureRules:
		line.To = set(a.Namespace)
	case plan.RemoveRules:
		line.From = set(a.Namespace)
	case plan.InsertRow, plan.UpdateRow, plan.RelocateRow, plan.MarkUnreachable, plan.MarkActive, plan.RemoveRow:
	}
	return line
}
