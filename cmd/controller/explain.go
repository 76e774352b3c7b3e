package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "explain ID|PATH",
		Short:             "Show one agent from every side: file, row, relay, what is next and why",
		Example:           "  mesh-controller explain ./project",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeAgent,
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := target(args[0])
			if err != nil {
				return err
			}
			return a.ask(cmd, func(ctx context.Context, s *daemon.Session) error {
				e, err := s.Explain(ctx, wanted)
				if err != nil {
					return err
				}
				return a.print(e, func(w io.Writer) { a.writeExplanation(w, &e) })
			})
		},
	}
}

func (a *app) writeExplanation(w io.Writer, e *controller.Explanation) {
	a.explainAgent(w, e)
	a.explainFields(w, e.Fields)
	a.explainNext(w, e)
	a.explainProblems(w, e.Problems)
	if len(e.Events) > 0 {
		fmt.Fprintln(w, "\nlast events")
		writeEvents(w, "  ", e.Events)
	}
	if len(e.Hints) > 0 {
		fmt.Fprintln(w)
	}
	for _, h := range e.Hints {
		fmt.Fprintln(w, "hint: "+printable(h))
	}
}

// explainAgent prints a line per side, with the labels in one column.
func (a *app) explainAgent(w io.Writer, e *controller.Explanation) {
	line := func(label, format string, args ...any) {
		fmt.Fprintf(w, "%-11s %s\n", label, printable(fmt.Sprintf(format, args...)))
	}
	line("agent", "%s", e.ID)
	line("path", "%s", e.Path)
	file := e.File.Evidence
	if e.File.Message != "" {
		file += ": " + e.File.Message
	}
	line("file", "%s", file)
	if s := e.Agent; s == nil {
		line("index", "no row")
	} else {
		line("index", "%s, %s, name %s, namespace %s", s.Status, s.Reason, quoted(s.Name), s.Namespace)
		a.explainAbsence(line, s)
	}
	endpoints := "no endpoint"
	if len(e.Relay.Endpoints) > 0 {
		endpoints = "endpoint " + strings.Join(e.Relay.Endpoints, ", ")
	}
	line("relay", "%s, rules %s", endpoints, e.Relay.Rules)
	if e.Relay.Subject != "" {
		line("subject", "%s", e.Relay.Subject)
	}
}

func (a *app) explainAbsence(line func(string, string, ...any), s *controller.AgentStatus) {
	if s.Message != nil && *s.Message != "" {
		line("message", "%s", *s.Message)
	}
	if since := s.MissingSince.String(); since != "" {
		line("missing", "since %s (%s)", since, a.age(s.MissingSince))
	}
	if when := a.until(s.RemoveAt); when != "" {
		line("removal", "at %s", when)
	}
	if h := s.Hold; h != nil {
		end := "a change"
		if until := a.until(h.Until); until != "" {
			end = until
		}
		line("hold", "%s since %s, until %s", h.Reason, h.Since, end)
	}
	for _, p := range s.DuplicatePaths {
		line("copy", "%s", p)
	}
}

// explainFields sets file and row side by side; where they are the same, once.
func (a *app) explainFields(w io.Writer, fields []controller.FieldView) {
	if len(fields) == 0 {
		return
	}
	t := a.table("", "FIELD", "FILE", "ROW")
	for _, f := range fields {
		mark, row := "!", short(f.Row)
		if f.Same {
			mark, row = " ", "="
		}
		t.row(mark, f.Field, short(f.File), row)
	}
	fmt.Fprintln(w)
	t.write(w)
}

// shortText is how much of a value is shown in a column.
const shortText = 60

func short(s *string) string {
	if s == nil {
		return "null"
	}
	if r := []rune(*s); len(r) > shortText {
		return string(r[:shortText-3]) + "..."
	}
	return quoted(*s)
}

func (a *app) explainNext(w io.Writer, e *controller.Explanation) {
	switch {
	case len(e.Next) > 0:
	case e.Agent != nil && e.Agent.Reason == agent.Paused:
		fmt.Fprintln(w, "\nnext: nothing as long as converging is paused")
		return
	case e.Agent != nil && (e.Agent.Reason == agent.RelayDegraded || e.Agent.Reason == agent.UnknownEvidence):
		fmt.Fprintln(w, "\nnext: another look, which comes by itself")
		return
	case e.Agent == nil || e.Agent.RemoveAt.String() == "":
		fmt.Fprintln(w, "\nnext: nothing to do")
		return
	default:
		fmt.Fprintln(w, "\nnext: its removal, unless it returns before")
		return
	}
	fmt.Fprintln(w, "\nnext")
	for i := range e.Next {
		a.writeChange(w, "  ", &e.Next[i])
	}
}

func (a *app) explainProblems(w io.Writer, problems []controller.ProblemStatus) {
	if len(problems) == 0 {
		return
	}
	fmt.Fprintln(w, "\nproblems")
	for _, p := range problems {
		fmt.Fprintf(w, "  %s at %s: %s\n", p.Reason, printable(p.Path), printable(p.Message))
	}
}
