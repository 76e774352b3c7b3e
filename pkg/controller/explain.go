package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// explainEvents is how much history an explanation carries.
const explainEvents = 10

// Explain sets file, row and relay of one agent side by side, with what is so,
// what will be done and when. It takes fresh looks and changes nothing.
func (c *Controller) Explain(ctx context.Context, target string) (Explanation, error) {
	tasks, err := c.rehearse(ctx, []string{target})
	if errors.Is(err, ErrNotFound) {
		if e, ok := c.explainPlace(ctx, target); ok {
			return e, nil
		}
		if e, ok := c.explainGone(ctx, agent.ID(target)); ok {
			return e, nil
		}
	}
	if err != nil {
		return Explanation{}, err
	}
	// A path may carry one id and be recorded for another: the recorded one is
	// at home there.
	t := tasks[0]
	for _, other := range tasks {
		if other.obs.Row != nil && other.obs.Row.Path == target {
			t = other
		}
	}
	if t.err != nil {
		return Explanation{}, t.err
	}
	v, err := c.survey(ctx)
	if err != nil {
		return Explanation{}, err
	}
	defer c.letGo(ctx)
	e := Explanation{
		ID: t.id, Path: t.plan.Path, Agent: v.status(t.id), File: fileView(t), Fields: fieldViews(t), Relay: c.relayView(t),
		Next: []PlanChange{}, Problems: []ProblemStatus{}, Events: []EventView{}, Hints: hints(t),
	}
	if t.plan.Pending() {
		e.Next = append(e.Next, changeOf(&t.plan))
	}
	for _, p := range v.problemList() {
		if p.AgentID != nil && *p.AgentID == t.id || p.Path == e.Path {
			e.Problems = append(e.Problems, p)
		}
	}
	e.Events, err = c.history(ctx, t.id)
	return e, err
}

// history is the last that is known to have happened to an id.
func (c *Controller) history(ctx context.Context, id agent.ID) ([]EventView, error) {
	events, err := c.ports.Index.Events(ctx, agent.EventFilter{ID: id, Limit: explainEvents})
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	list := []EventView{}
	for _, h := range events {
		list = append(list, EventView{At: Time(h.At), ID: h.ID, Reason: h.Reason, Path: h.Path, Message: h.Message})
	}
	return list, nil
}

func explainNobody(path string) Explanation {
	return Explanation{
		Path: path, Fields: []FieldView{}, Relay: RelayView{Endpoints: []string{}, Rules: "none: no agent"},
		Next: []PlanChange{}, Problems: []ProblemStatus{}, Events: []EventView{}, Hints: []string{},
	}
}

// explainGone explains an id that has left the index: what is kept of it, and
// how it comes back.
func (c *Controller) explainGone(ctx context.Context, id agent.ID) (Explanation, bool) {
	views, _, err := c.ports.Index.Read(ctx, []agent.ID{id}, nil)
	defer c.letGo(ctx)
	t := views[id].Tombstone
	if err != nil || t == nil {
		return Explanation{}, false
	}
	e := explainNobody(t.Record.Path)
	e.ID = id
	look := c.ports.Sources.Probe(ctx, agent.ProbeRequest{Path: e.Path, Anchor: e.Path})
	e.File = FileView{Path: e.Path, Evidence: look.Class.String(), Message: look.Err}
	e.Hints = append(e.Hints, fmt.Sprintf("it left the index (%s) at %s; put its manifest back below a scan root, or mesh-controller tombstones restore %s, within 30 days to have it again, with its mail",
		t.Reason, agent.FormatTime(t.At), id))
	e.Events, err = c.history(ctx, id)
	return e, err == nil
}

// explainPlace explains a place that is refused and of which no id is known.
func (c *Controller) explainPlace(ctx context.Context, path string) (Explanation, bool) {
	e := explainNobody(path)
	for _, p := range c.current.Load().places() {
		if p.Path != path {
			continue
		}
		e.Problems = append(e.Problems, ProblemStatus{Path: p.Path, Reason: p.Reason, Message: p.Message, Since: c.recordedSince(ctx, &p)})
		if h := problemHint(&p); h != "" {
			e.Hints = append(e.Hints, h)
		}
	}
	if len(e.Problems) == 0 {
		return e, false
	}
	look := c.ports.Sources.Probe(ctx, agent.ProbeRequest{Path: path, Anchor: path})
	e.File = FileView{Path: path, Evidence: look.Class.String(), Message: e.Problems[0].Message}
	return e, true
}

// recordedSince is when a problem was first recorded; zero where it is new.
func (c *Controller) recordedSince(ctx context.Context, p *agent.Problem) Time {
	index, err := c.recorded(ctx)
	if err != nil {
		return Time{}
	}
	defer c.letGo(ctx)
	for i := range index.Problems {
		if samePlace(index.Problems[i], *p) {
			return Time(index.Problems[i].Since)
		}
	}
	return Time{}
}

// look is the one that speaks for the agent: at home, or else at the first
// place that carries its id.
func (t *task) look() *agent.Look {
	switch {
	case t.obs.Home != nil && t.obs.Row != nil:
		return &t.obs.Home.Look
	case len(t.obs.Claims) > 0:
		return &t.obs.Claims[0].Look
	case t.obs.Home != nil:
		return &t.obs.Home.Look
	}
	return &agent.Look{Class: agent.DirMissing, Err: "no place is known"}
}

func fileView(t *task) FileView {
	l := t.look()
	var remembered agent.Mount
	if t.obs.Home != nil && l == &t.obs.Home.Look {
		remembered = t.obs.Home.RootMount
		if t.obs.State != nil && !t.obs.State.Mount.IsZero() {
			remembered = t.obs.State.Mount
		}
	}
	f := FileView{Path: l.Path, Evidence: l.Judge(t.id, remembered).String(), Message: l.Err}
	switch {
	case l.Problem != nil:
		f.Message = l.Problem.Error()
	case l.Class == agent.Present && l.Manifest.ID != t.id:
		f.Message = "it carries the id " + string(l.Manifest.ID)
	}
	return f
}

// fieldViews sets what the file asks for beside what the row says.
func fieldViews(t *task) []FieldView {
	l := t.look()
	list := []FieldView{}
	if l.Class != agent.Present || l.Manifest.ID != t.id {
		return list
	}
	place := plan.Placement{}
	if t.obs.Home != nil && l == &t.obs.Home.Look {
		place = t.obs.Home.Place
	} else if len(t.obs.Claims) > 0 {
		place = t.obs.Claims[0].Place
	}
	want := agent.Desired(l.Manifest, agent.Place{Namespace: place.Namespace, Managed: place.Managed})
	for i := range agent.FieldTable {
		if !t.obs.Written.Has(i) {
			continue
		}
		f := FieldView{Field: agent.FieldTable[i].Name, File: cellText(want[i])}
		if row := t.obs.Row; row != nil {
			f.Row = cellText(row.Fields[i])
			f.Same = row.Fields[i] == want[i]
		}
		list = append(list, f)
	}
	return list
}

func (c *Controller) relayView(t *task) RelayView {
	r := &t.obs.Relay
	v := RelayView{Endpoints: []string{}, Rules: "no relay"}
	ns, system := "", false
	switch {
	case t.plan.Change.Row != nil:
		ns, system = t.plan.Change.Row.Namespace(), t.plan.Change.Row.System()
	case t.obs.Row != nil:
		ns, system = t.obs.Row.Namespace(), t.obs.Row.System()
	}
	if ns != "" {
		v.Subject = string(agent.SubjectOf(ns, t.id))
	}
	for _, e := range r.Endpoints {
		v.Endpoints = append(v.Endpoints, string(e.Subject))
	}
	switch {
	case !r.Enabled:
	case r.Down != "":
		v.Rules = r.Down
	case r.Degraded != "":
		v.Rules = r.Degraded
	default:
		v.Rules = ruleCount(r.Rules[ns], system)
	}
	return v
}

func ruleCount(s agent.RuleSet, system bool) string {
	have, want := []bool{s.Deny, s.Allow}, 2
	if system {
		have, want = append(have, s.SystemIn, s.SystemOut), 4
	}
	n := 0
	for _, there := range have {
		if there {
			n++
		}
	}
	return fmt.Sprintf("%d of %d", n, want)
}

// hints say what to run or do next.
func hints(t *task) []string {
	list := []string{}
	add := func(s string) {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	if t.plan.Pending() {
		add("mesh-controller sync " + string(t.id) + " does what is listed under next")
	}
	for _, p := range append(t.plan.Change.Problems, t.obs.Problems...) {
		if h := problemHint(&p); h != "" {
			add(h)
		}
	}
	if h := t.plan.Hold; h != nil && h.Reason == agent.MassMissing && t.obs.Row != nil {
		add("mesh-controller release " + t.obs.Row.ScanRoot + " ends the hold, if those that are missing there are gone for good")
	}
	if t.plan.Absent.Absent() && t.obs.Row != nil {
		add("put the project back at " + t.obs.Row.Path + " (or anywhere below a scan root) to keep the agent")
	}
	return list
}

// problemHint says what to do about a problem; "" where there is nothing to.
func problemHint(p *agent.Problem) string {
	manifest := p.Path + "/.dork/agent.json"
	if p.Reason == agent.DuplicateID {
		return "mesh-controller reissue " + p.Path + " gives the copy an id of its own; mesh-controller adopt " + p.Path + " makes it the home"
	}
	if p.Reason == agent.ManifestInvalid {
		return "mend " + manifest + ": " + p.Message
	}
	if p.Reason == agent.UnknownEvidence {
		return "make " + manifest + " readable: " + p.Message
	}
	if p.Reason == agent.Denied {
		return "mesh-controller undeny " + p.Path + " takes it off the deny list, if it is to be registered"
	}
	return ""
}
