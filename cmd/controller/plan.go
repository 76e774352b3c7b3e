package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

func (a *app) planCommand() *cobra.Command {
	var at string
	c := &cobra.Command{
		Use:   "plan [ID|PATH...]",
		Short: "Print what would be done and why; change nothing",
		Long: `Look at everything afresh and print what a sync would do, field by field, now or
at a later time. Nothing is written; a running daemon is not disturbed.
Exit 2: there is something to do.`,
		Example:           "  mesh-controller plan\n  mesh-controller plan --at +24h",
		ValidArgsFunction: a.completeAgents,
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := targets(args)
			if err != nil {
				return err
			}
			when, err := a.parseAt(at)
			if err != nil {
				return err
			}
			return a.plan(cmd, controller.PlanRequest{Targets: wanted, At: when})
		},
	}
	c.Flags().StringVar(&at, "at", "", "plan for a later `time`: +24h, or RFC 3339")
	return c
}

// parseAt reads +DURATION or an RFC 3339 time; "" is now.
func (a *app) parseAt(text string) (time.Time, error) {
	const hint = "write +24h, or a time like 2026-01-31T12:00:00Z"
	if text == "" {
		return time.Time{}, nil
	}
	if after, ok := strings.CutPrefix(text, "+"); ok {
		d, err := time.ParseDuration(after)
		if err != nil || d < 0 {
			return time.Time{}, usagef(hint, "--at: %q is not a duration", after)
		}
		return a.now().Add(d), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, usagef(hint, "--at: %q is neither +DURATION nor an RFC 3339 time", text)
	}
	return t, nil
}

func (a *app) plan(cmd *cobra.Command, req controller.PlanRequest) error {
	var result controller.PlanResult
	err := a.ask(cmd, func(ctx context.Context, s *daemon.Session) (err error) {
		stop := a.progress("looking")
		defer stop()
		result, err = s.Plan(ctx, req)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.print(result, func(w io.Writer) { a.writePlan(w, &result) }); err != nil {
		return err
	}
	if result.Pending {
		return &failure{exit: exitPending}
	}
	return nil
}

func (a *app) writePlan(w io.Writer, r *controller.PlanResult) {
	if len(r.Changes) == 0 {
		fmt.Fprintln(w, "in sync: nothing to do")
		return
	}
	for i := range r.Changes {
		if i > 0 {
			fmt.Fprintln(w)
		}
		a.writeChange(w, "", &r.Changes[i])
	}
}

// writeChange prints one agent: who and why, then a line per action.
func (a *app) writeChange(w io.Writer, indent string, c *controller.PlanChange) {
	line := func(format string, args ...any) {
		fmt.Fprintln(w, indent+printable(fmt.Sprintf(format, args...)))
	}
	name := string(c.ID)
	if name == "" {
		name = "-"
	}
	line("%s  %s  %s", name, c.Reason, c.Path)
	if c.Message != "" {
		line("  # %s", c.Message)
	}
	for _, action := range c.Actions {
		line("  %s", actionText(action))
	}
	if when := a.until(c.RemoveAt); when != "" {
		line("  removal at %s", when)
	}
}

// actionText reads "updateRow name: old -> new".
func actionText(a controller.PlanAction) string {
	text := a.Type
	if a.Field != nil {
		text += " " + *a.Field + ":"
	}
	switch {
	case a.From != nil && a.To != nil:
		return text + " " + quoted(*a.From) + " -> " + quoted(*a.To)
	case a.To != nil && a.Field != nil:
		return text + " (none) -> " + quoted(*a.To)
	case a.From != nil && a.Field != nil:
		return text + " " + quoted(*a.From) + " -> (none)"
	case a.To != nil:
		return text + " " + quoted(*a.To)
	case a.From != nil:
		return text + " " + quoted(*a.From)
	}
	return text
}

// quoted marks where a text begins and ends, if it does not show by itself.
func quoted(s string) string {
	if s == "" || strings.TrimSpace(s) != s {
		return `"` + s + `"`
	}
	return s
}
