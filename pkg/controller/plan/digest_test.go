package plan_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// digest writes down everything that a plan does, one thing a line, but for
// the messages: what is not in it is not done.
func digest(p plan.Plan) string {
	var d digester
	d.line("reason", string(p.Reason), p.Path)
	for i := range p.Actions {
		d.action(&p.Actions[i])
	}
	d.change(&p.Change)
	if p.Record != nil {
		d.line("bury", string(p.Record.Reason), p.Record.Record.Path)
	}
	if p.Deed != nil {
		d.line("deed", string(p.Deed.Reason), p.Deed.Path)
	}
	if p.Hold != nil {
		d.line("hold", string(p.Hold.Reason), at(p.Hold.Since), "until", at(p.Hold.Until))
	}
	d.flag("held", p.Held)
	if !p.RemoveAt.IsZero() {
		d.line("removeAt", at(p.RemoveAt))
	}
	if p.RequeueAfter != 0 {
		d.line("requeue", p.RequeueAfter.String())
	}
	d.flag("starts", p.Starts)
	d.flag("confirm", p.Confirm)
	d.flag("needSweep", p.NeedSweep)
	d.flag("secondLook", p.SecondLook)
	d.flag("retry", p.Retry)
	return d.String()
}

type digester struct{ strings.Builder }

func (d *digester) line(words ...string) {
	d.WriteString(strings.TrimRight(strings.Join(words, " "), " ") + "\n")
}

func (d *digester) flag(name string, set bool) {
	if set {
		d.line(name)
	}
}

func (d *digester) action(a *plan.Action) {
	words := []string{"do", string(a.Type)}
	if a.Namespace != "" {
		words = append(words, a.Namespace)
	}
	if a.System {
		words = append(words, "system")
	}
	if a.Subject != "" {
		words = append(words, string(a.Subject))
	}
	if a.Type == plan.MoveMail {
		words = append(words, "<-", string(a.From))
	}
	d.line(words...)
	for _, f := range a.Differences {
		d.line(" ", f.Field, f.From.String(), "->", f.To.String())
	}
}

func (d *digester) change(c *agent.Change) {
	if c.Displaces != "" {
		d.line("displaces", string(c.Displaces), stateText(c.DisplacedState))
	}
	for _, ns := range c.Left {
		d.line("leaves", ns)
	}
	d.flag("unbury", c.Unbury)
	if c.SetState {
		d.line("remembers", stateText(c.State))
	}
	if c.SetProblems {
		d.line("problems", fmt.Sprint(len(c.Problems)))
		for _, p := range c.Problems {
			d.line(" ", string(p.Reason), p.Path)
		}
	}
	for _, e := range c.Events {
		d.line("event", string(e.Reason), e.Path)
	}
	d.flag("durable", c.Durable)
}

func stateText(s *agent.State) string {
	if s == nil {
		return "nothing"
	}
	var words []string
	if !s.MissingSince.IsZero() {
		words = append(words, s.Evidence.String(), "missing "+at(s.MissingSince), "clock "+at(s.Clock.Wall))
	}
	if !s.Mount.IsZero() {
		words = append(words, "mount "+s.Mount.Source)
	}
	if s.Lost {
		words = append(words, "lost")
	}
	if s.Held {
		words = append(words, "held")
	}
	if s.Paused {
		words = append(words, "paused")
	}
	return strings.Join(words, ", ")
}

// at writes a time relative to now.
func at(t time.Time) string {
	switch d := t.Sub(now.Wall); {
	case t.IsZero():
		return "never"
	case d == 0:
		return "now"
	case d > 0:
		return "now+" + d.String()
	default:
		return "now" + d.String()
	}
}
