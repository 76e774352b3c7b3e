package controller

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// Agents lists every row and every displaced id in its grace, and the recorded
// problems. It reads the index and the relay, no file: what it says is what the
// last pass proved.
func (c *Controller) Agents(ctx context.Context) (AgentsResult, error) {
	v, err := c.survey(ctx)
	if err != nil {
		return AgentsResult{}, err
	}
	defer c.letGo(ctx)
	result := AgentsResult{APIVersion: APIVersion, Agents: []AgentStatus{}, Problems: v.problemList()}
	for _, id := range v.ids {
		if a := v.status(id); a != nil {
			result.Agents = append(result.Agents, *a)
		}
	}
	slices.SortFunc(result.Agents, func(a, b AgentStatus) int {
		return strings.Compare(a.Namespace+"\x00"+a.Name+"\x00"+string(a.ID), b.Namespace+"\x00"+b.Name+"\x00"+string(b.ID))
	})
	return result, nil
}

// survey is the recorded state of everything.
type survey struct {
	now     agent.Stamp
	options Options
	index   *agent.IndexListing
	ids     []agent.ID
	views   map[agent.ID]agent.View
	relay   *agent.RelayListing // nil: none, or it does not answer
	missing map[string][]time.Time
	perRoot map[string]int
	holds   massHolds
}

// surveyOf is the recorded state as far as it concerns one id.
func (c *Controller) surveyOf(ctx context.Context, id agent.ID) (*survey, error) {
	v := &survey{options: *c.options.Load(), missing: map[string][]time.Time{}, perRoot: map[string]int{}, holds: massHolds{}}
	v.now, _ = c.ports.Clock.Read()
	v.index = c.current.Load().index
	var err error
	if v.views, _, err = c.ports.Index.Read(ctx, []agent.ID{id}, nil); err != nil {
		return nil, err
	}
	row := v.views[id].Row
	if c.ports.Relay == nil || row == nil {
		return v, nil
	}
	endpoints, err := c.ports.Relay.Endpoints(ctx, []agent.Subject{row.Subject()})
	if err == nil {
		v.relay = &agent.RelayListing{Endpoints: endpoints}
	}
	return v, nil
}

func (c *Controller) survey(ctx context.Context) (*survey, error) {
	v := &survey{options: *c.options.Load(), missing: map[string][]time.Time{}, perRoot: map[string]int{}, holds: massHolds{}}
	v.now, _ = c.ports.Clock.Read()
	index, err := c.recorded(ctx)
	if err != nil {
		return nil, err
	}
	v.index = index
	for i := range index.Entries {
		e := &index.Entries[i]
		v.ids = append(v.ids, e.ID)
		v.perRoot[e.ScanRoot]++
		if st, ok := index.States[e.ID]; ok && !st.MissingSince.IsZero() {
			v.missing[e.ScanRoot] = append(v.missing[e.ScanRoot], st.MissingSince)
		}
	}
	v.ids = append(v.ids, sortedIDs(index.Displaced)...)
	if v.views, _, err = c.ports.Index.Read(ctx, v.ids, nil); err != nil {
		return nil, err
	}
	if c.ports.Relay != nil {
		listing, changed, err := c.ports.Relay.List(ctx)
		c.ledger.mark(changed, v.now.Wall, c.shown(sourceRelay))
		if err == nil {
			v.relay = listing
		}
	}
	return v, nil
}

// status is one agent as it stands; nil where the index has nothing of it.
func (v *survey) status(id agent.ID) *AgentStatus {
	view := v.views[id]
	row := view.Row
	if t := view.Tombstone; row != nil && t != nil && t.Reason == agent.Unregistered {
		return nil // it is on its way out
	}
	if row == nil && view.Tombstone != nil {
		r := view.Tombstone.Record
		r.Status = agent.Unreachable
		row = &r
	}
	if row == nil {
		return nil
	}
	a := &AgentStatus{
		ID: id, Name: row.Name(), Namespace: row.Namespace(), Runtime: row.Fields[agent.FieldRuntime].Text,
		ProjectPath: row.Path, Status: row.Status, RelaySubject: string(row.Subject()), DuplicatePaths: []string{},
	}
	if row.ScanRoot != "" {
		a.ScanRoot = &row.ScanRoot
	}
	if row.LastSeenAt.Kind != agent.Null {
		a.LastSeenAt = &row.LastSeenAt.Text
	}
	a.Endpoint = v.endpoint(id, row.Subject())
	v.explain(a, &view, row)
	return a
}

func (v *survey) endpoint(id agent.ID, want agent.Subject) bool {
	return v.relay != nil && slices.ContainsFunc(v.relay.Endpoints.Of(id), func(e agent.Endpoint) bool { return e.Subject == want })
}

// explain finds what is so now: an absence, a refused manifest, copies, in this
// order; else all is well.
func (v *survey) explain(a *AgentStatus, view *agent.View, row *agent.Record) {
	a.Reason, a.Since = agent.InSync, Time(agent.ParseTime(row.UpdatedAt))
	for _, p := range view.Problems {
		switch {
		case p.Reason == agent.DuplicateID:
			a.DuplicatePaths = append(a.DuplicatePaths, p.Path)
			if a.Reason == agent.InSync {
				v.because(a, p.Reason, "its id is carried by another place too: "+p.Path, p.Since)
			}
		case p.Path == row.Path:
			v.because(a, p.Reason, p.Message, p.Since)
		}
	}
	slices.Sort(a.DuplicatePaths)
	if view.State.Missing() {
		v.orphan(a, view, row)
		return
	}
	switch {
	case v.index.Paused, view.State != nil && view.State.Paused:
		v.because(a, agent.Paused, "converging is off", time.Time{})
	case a.Reason == agent.InSync && v.relay != nil && !a.Endpoint && v.relay.Degraded != "":
		v.because(a, agent.RelayDegraded, v.relay.Degraded, time.Time{})
	case a.Reason == agent.InSync && v.relay != nil && !a.Endpoint:
		v.because(a, agent.EndpointMissing, "its address is not there; the next pass makes it", time.Time{})
	}
}

func (v *survey) because(a *AgentStatus, r agent.Reason, message string, since time.Time) {
	a.Reason, a.Message = r, &message
	if !since.IsZero() {
		a.Since = Time(since)
	}
}

// orphan adds when the absence ends, and what holds it.
func (v *survey) orphan(a *AgentStatus, view *agent.View, row *agent.Record) {
	s := view.State
	reason := s.Evidence.Reason()
	if view.Row == nil && s.Evidence != agent.VolumeGone {
		reason = agent.Displaced
	}
	if a.Reason == agent.InSync || a.Reason == agent.DuplicateID {
		v.because(a, reason, "missing since "+agent.FormatTime(s.MissingSince), s.MissingSince)
	}
	a.Status = agent.Unreachable // whatever another writer makes the row say
	a.MissingSince = Time(s.MissingSince)
	if len(a.DuplicatePaths) > 0 {
		return // an agent whose manifest can be read somewhere is never removed
	}
	var mass *plan.Hold
	if view.Row != nil && row.ScanRoot != "" {
		mass = v.holds.of(row.ScanRoot, func(root string) *plan.Hold {
			return plan.Mass(v.missing[root], v.perRoot[root], v.released(root), v.now.Wall, v.options.massPolicy())
		})
	}
	f := plan.Forecast(s, s.Evidence, v.now, mass, v.options.policy())
	a.RemoveAt = Time(f.RemoveAt)
	switch {
	case f.Hold != nil:
		a.Hold = &Hold{Reason: f.Hold.Reason, Since: Time(f.Hold.Since), Until: Time(f.Hold.Until)}
	case !f.RemoveAt.IsZero() && !f.RemoveAt.After(v.now.Wall):
		a.Hold = &Hold{Reason: agent.Settling, Since: Time(f.RemoveAt)}
	}
}

func (v *survey) released(root string) time.Time {
	for _, r := range v.index.Roots {
		if r.Path == root {
			return r.ReleasedAt
		}
	}
	return time.Time{}
}

// problemList is every recorded problem, in the order of their paths.
func (v *survey) problemList() []ProblemStatus {
	list := []ProblemStatus{}
	for _, p := range sortedProblems(v.index.Problems) {
		s := ProblemStatus{Path: p.Path, Reason: p.Reason, Message: p.Message, Since: Time(p.Since)}
		if p.ID != "" {
			s.AgentID = &p.ID
		}
		list = append(list, s)
	}
	return list
}

// recorded lists the index for a view. It shares the loop's memory of the index
// and must not swallow what the loop has yet to see.
func (c *Controller) recorded(ctx context.Context) (*agent.IndexListing, error) {
	index, changed, err := c.ports.Index.List(ctx)
	if err != nil {
		return nil, err
	}
	c.ledger.mark(changed, c.ports.Clock.Now(), c.shown(sourceIndex))
	return index, nil
}
