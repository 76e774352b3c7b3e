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

func (a *app) syncCommand() *cobra.Command {
	var full, dryRun bool
	c := &cobra.Command{
		Use:   "sync [ID|PATH...]",
		Short: "Bring index and relay in line once, and wait for it",
		Long: `Run one resync and return when everything that it queued is proven converged or
has ended in a state: through the daemon if one runs for this index, else here.
Exit 5: some agents could not be converged; they are named.`,
		Example:           "  mesh-controller sync\n  mesh-controller sync ./project --full\n  mesh-controller sync --dry-run",
		ValidArgsFunction: a.completeAgents,
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := targets(args)
			if err != nil {
				return err
			}
			if dryRun {
				return a.plan(cmd, controller.PlanRequest{Targets: wanted})
			}
			return a.sync(cmd.Context(), controller.SyncRequest{Targets: wanted, Full: full, Trigger: "api"})
		},
	}
	c.Flags().BoolVar(&full, "full", false, "read and hash every manifest")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "change nothing, print what would be done (exit 2 if anything)")
	return c
}

func (a *app) sync(ctx context.Context, req controller.SyncRequest) error {
	result, err := order(ctx, a, "syncing", func(ctx context.Context, o daemon.Orders) (controller.SyncResult, error) {
		return o.Sync(ctx, req)
	})
	if err != nil {
		return err
	}
	if err := a.print(result, func(w io.Writer) { a.writeSync(w, &result) }); err != nil {
		return err
	}
	return partial(&result)
}

// partial is the failure of a sync that left something for a retry, or nil.
func partial(result *controller.SyncResult) error {
	if n := len(result.Failures); n > 0 || !result.Converged {
		return &failure{
			exitPartial, "partial", "`mesh-controller explain ID` says what is in the way; it is tried again by itself where a daemon runs",
			fmt.Errorf("%s could not be converged", count(n, "agent")),
		}
	}
	return nil
}

func (a *app) writeSync(w io.Writer, r *controller.SyncResult) {
	c := &r.Counts
	word := "in sync"
	if !r.Converged {
		word = "not in sync"
	}
	fmt.Fprintf(w, "%s: %s, %d queued, %.1fs\n", word, count(c.Agents, "agent"), c.Queued, r.DurationSeconds)
	did := counted("discovered", c.Discovered, "synced", c.Synced, "relocated", c.Relocated,
		"resurrected", c.Resurrected, "unreachable", c.Unreachable, "removed", c.Removed)
	if did != "" {
		fmt.Fprintln(w, "did: "+did)
	}
	is := counted("duplicates", c.Duplicates, "invalid", c.Invalid, "unknown", c.Unknown, "held", c.Held)
	if is != "" {
		fmt.Fprintln(w, "is:  "+is+" (`mesh-controller agents --problems` names them)")
	}
	if r.RelayDegraded != "" {
		fmt.Fprintln(w, "but: the relay could not be looked at: "+r.RelayDegraded)
	}
	a.writeFailures(w, r.Failures)
}

func (a *app) writeFailures(w io.Writer, failures []controller.Failure) {
	if len(failures) == 0 {
		return
	}
	t := a.table("ID", "REASON", "PATH", "MESSAGE")
	for _, f := range failures {
		t.row(string(f.ID), string(f.Reason), f.Path, f.Message)
	}
	fmt.Fprintln(w)
	t.write(w)
}

// counted lists the counts that are not 0.
func counted(pairs ...any) string {
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", pairs[i+1], pairs[i]))
		}
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// progressAfter: what is done sooner needs no sign of life.
const progressAfter = time.Second

// progress shows on a terminal that something is still going on.
func (a *app) progress(what string) (stop func()) {
	if a.asJSON() || !isTerminal(a.stderr) {
		return func() {}
	}
	began, done, ended := a.now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(progressAfter)
		defer tick.Stop()
		shown := false
		for {
			select {
			case <-tick.C:
				fmt.Fprintf(a.stderr, "\r%s, %s ", what, coarse(a.now().Sub(began)))
				shown = true
			case <-done:
				if shown {
					fmt.Fprint(a.stderr, "\r\x1b[K")
				}
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}
