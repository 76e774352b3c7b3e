package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// order carries out one order and shows a sign of life meanwhile.
func order[T any](ctx context.Context, a *app, doing string, do func(context.Context, daemon.Orders) (T, error)) (T, error) {
	s, err := a.settings()
	if err != nil {
		var none T
		return none, err
	}
	stop := a.progress(doing)
	defer stop()
	return daemon.Order(ctx, s, a.build, a.log(s), do)
}

// intent carries out an order about one agent and prints what it came to.
func (a *app) intent(ctx context.Context, doing string, do func(context.Context, daemon.Orders) (controller.Outcome, error)) error {
	outcome, err := order(ctx, a, doing, do)
	if err != nil {
		return err
	}
	if err := a.print(outcome, func(w io.Writer) { writeOutcome(w, &outcome) }); err != nil {
		return err
	}
	if outcome.Finished {
		return nil
	}
	return &failure{
		exitPartial, "partial", "nothing: the rest follows by itself, where no daemon runs with the next `mesh-controller sync`",
		errors.New(unfinished(&outcome)),
	}
}

func unfinished(o *controller.Outcome) string {
	if o.Message == "" {
		return fmt.Sprintf("%s: not everything is done yet", o.ID)
	}
	return fmt.Sprintf("%s: not everything is done yet: %s", o.ID, o.Message)
}

// deeds are the reasons of outcomes as a sentence begins with them.
var deeds = map[agent.Reason]string{
	agent.Registered:       "registered",
	agent.Resurrected:      "brought back",
	agent.Updated:          "updated",
	agent.NamespaceChanged: "updated",
	agent.Unregistered:     "unregistered",
	agent.Relocated:        "moved",
	agent.InSync:           "nothing to do:",
}

// writeOutcome says what was done and where, and what can be done next.
func writeOutcome(w io.Writer, o *controller.Outcome) {
	deed, known := deeds[o.Reason]
	if !known {
		deed = string(o.Reason) + ":"
	}
	line := fmt.Sprintf("%s %s at %s", deed, o.ID, o.Path)
	if o.Agent != nil {
		line += fmt.Sprintf(", name %s, namespace %s", quoted(o.Agent.Name), o.Agent.Namespace)
	}
	fmt.Fprintln(w, printable(line))
	if o.Finished && o.Message != "" && o.Message != deed {
		fmt.Fprintln(w, printable(o.Message))
	}
	if o.Agent != nil {
		fmt.Fprintf(w, "next: `mesh-controller explain %s` shows it from every side\n", o.ID)
	}
}
