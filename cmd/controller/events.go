package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

func (a *app) eventsCommand() *cobra.Command {
	var since string
	var follow bool
	c := &cobra.Command{
		Use:               "events [ID]",
		Short:             "Print what happened, oldest first",
		Example:           "  mesh-controller events --since 24h\n  mesh-controller events -f",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeAgent,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.eventFilter(args, since)
			if err != nil {
				return err
			}
			return a.ask(cmd, func(ctx context.Context, s *daemon.Session) error {
				if follow {
					return a.followEvents(ctx, s, f)
				}
				return a.listEvents(ctx, s, f)
			})
		},
	}
	c.Flags().StringVar(&since, "since", "", "only what happened after: a `duration` like 24h, or an RFC 3339 time")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on printing what happens")
	return c
}

func (a *app) eventFilter(args []string, since string) (agent.EventFilter, error) {
	var f agent.EventFilter
	if len(args) == 1 {
		f.ID = agent.ID(args[0])
		if !f.ID.Valid() {
			return f, usagef("`mesh-controller explain PATH` shows the id of a path", "%q is not an agent's id", args[0])
		}
	}
	if since == "" {
		return f, nil
	}
	if d, err := time.ParseDuration(since); err == nil && d >= 0 {
		f.Since = a.now().Add(-d)
		return f, nil
	}
	t, err := time.Parse(time.RFC3339Nano, since)
	if err != nil {
		return f, usagef("write 24h, or a time like 2026-01-31T12:00:00Z", "--since: %q is neither a duration nor an RFC 3339 time", since)
	}
	f.Since = t
	return f, nil
}

func (a *app) listEvents(ctx context.Context, s *daemon.Session, f agent.EventFilter) error {
	events, err := s.Events(ctx, f)
	if err != nil {
		return err
	}
	return a.print(daemon.EventsResult{APIVersion: controller.APIVersion, Events: events}, func(w io.Writer) {
		if len(events) == 0 {
			fmt.Fprintln(w, "no events")
			return
		}
		writeEvents(w, "", events)
	})
}

func writeEvents(w io.Writer, indent string, events []controller.EventView) {
	for _, e := range events {
		fmt.Fprintln(w, indent+eventLine(e))
	}
}

func eventLine(e controller.EventView) string {
	parts := []string{e.At.String(), string(e.Reason)}
	for _, p := range []string{string(e.ID), e.Path, e.Message} {
		if p != "" {
			parts = append(parts, printable(p))
		}
	}
	return strings.Join(parts, "  ")
}

// followEvery is how often new events are looked for.
const followEvery = time.Second

// followEvents prints what is there and then what comes, one line or one JSON
// object each.
func (a *app) followEvents(ctx context.Context, s *daemon.Session, f agent.EventFilter) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	seen := map[controller.EventView]bool{} // of the last time: f.Since includes it
	for {
		events, err := s.Events(ctx, f)
		if err != nil {
			return err
		}
		for _, e := range events {
			if seen[e] {
				continue
			}
			if at := time.Time(e.At); at.After(f.Since) {
				f.Since, seen = at, map[controller.EventView]bool{}
			}
			seen[e] = true
			if err := a.printEvent(e); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func (a *app) printEvent(e controller.EventView) error {
	switch a.output {
	case formatJSON:
		return writeJSON(a.stdout, e, "")
	case formatYAML:
		fmt.Fprintln(a.stdout, "---")
		return writeYAML(a.stdout, e)
	}
	_, err := fmt.Fprintln(a.stdout, eventLine(e))
	return err
}
