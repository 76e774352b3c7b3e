package controller

import (
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// clipAt bounds what of a manifest reaches a log line, in bytes.
const clipAt = 200

func clip(s string) string {
	if len(s) <= clipAt {
		return s
	}
	cut := clipAt
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// report logs the change and counts the drift that it corrected.
func (c *Controller) report(t *task) {
	p := &t.plan
	for _, e := range p.Change.Events {
		c.line(t, &e)
	}
	if p.Deed != nil && !t.waits {
		c.line(t, p.Deed)
	}
	if p.Record != nil {
		reason := p.Reason
		if p.Reason == agent.Removed {
			reason = p.Absent.Reason()
		}
		c.ports.Metrics.Removed(reason)
	}
	if t.intent != nil {
		return // what an operator ordered is no drift
	}
	for _, kind := range driftKinds(p) {
		cause := c.cause(t.id, p.Reason)
		c.ports.Metrics.DriftDetected(kind, cause)
		if !t.waits {
			c.ports.Metrics.DriftCorrected(kind, cause)
		}
	}
}

// lines are the fields of log lines; they are used again.
var lines = sync.Pool{New: func() any { return new([]zap.Field) }}

func (c *Controller) line(t *task, e *agent.Event) {
	entry := c.log.Check(zap.InfoLevel, "agent")
	if entry == nil {
		return
	}
	kept, _ := lines.Get().(*[]zap.Field)
	fields := (*kept)[:0]
	fields = append(fields,
		zap.String("event", string(e.Reason)),
		zap.String("agent_id", clip(string(e.ID))),
		zap.String("path", clip(e.Path)),
		zap.String("reason", string(e.Reason)),
		zap.String("detail", clip(e.Message)),
		zap.String("reconcile_id", strconv.FormatUint(t.number, 36)),
		zap.Int64("duration_ms", c.ports.Clock.Since(t.began).Milliseconds()),
	)
	if e.ID == t.id { // else it is somebody whom the change displaced
		if row := t.plan.Change.Row; row != nil {
			fields = append(fields, zap.String("namespace", row.Namespace()))
		} else if t.obs.Row != nil {
			fields = append(fields, zap.String("namespace", clip(t.obs.Row.Namespace())))
		}
		if len(t.plan.Actions) > 0 {
			fields = append(fields, zap.String("action", string(t.plan.Actions[0].Type)))
		}
	}
	entry.Write(fields...)
	clear(fields)
	*kept = fields
	lines.Put(kept)
}

// driftKinds are the kinds of difference that a plan corrects, each once.
func driftKinds(p *plan.Plan) []string {
	var seen []string
	add := func(kind string) {
		if !slices.Contains(seen, kind) {
			seen = append(seen, kind)
		}
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		switch a.Type {
		case plan.InsertRow, plan.RemoveRow, plan.MarkUnreachable, plan.MarkActive:
			add("row")
		case plan.RelocateRow:
			add("path")
		case plan.EnsureEndpoint, plan.RemoveEndpoint, plan.MoveMail:
			add("endpoint")
		case plan.EnsureRules, plan.RemoveRules:
			add("rules")
		case plan.UpdateRow:
		}
		for _, d := range a.Differences {
			switch d.Field {
			case "namespace":
				add("namespace")
			case "status", "projectPath":
			default:
				add("field")
			}
		}
	}
	return seen
}

// causes of what only one side can have done, where no source showed the change.
var causes = map[agent.Reason]string{
	agent.EndpointMissing:  sourceRelay,
	agent.EndpointLeaked:   sourceRelay,
	agent.RulesDrifted:     sourceRelay,
	agent.Discovered:       sourceFile,
	agent.Relocated:        sourceFile,
	agent.Resurrected:      sourceFile,
	agent.NamespaceChanged: sourceFile,
}

// cause tells who moved: the source that showed the change against its last
// listing. After a restart there is none to compare with.
func (c *Controller) cause(id agent.ID, r agent.Reason) string {
	if source := c.ledger.movedBy(id); source != "" {
		return source
	}
	if source, ok := causes[r]; ok {
		return source
	}
	return "unknown"
}

// gauge tells the metrics how things stand.
func (c *Controller) gauge() {
	g := c.ledger.gauges()
	g.Quarantined = c.quarantine.size()
	g.Paused = c.paused.Load()
	if s := c.current.Load(); s != nil {
		g.RelayDegraded = s.relayTrouble() != ""
	}
	c.ports.Metrics.State(g)
}
