package daemon

import (
	"context"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// Loop is what is used of the controller.
type Loop interface {
	Run(ctx context.Context) error
	Trigger(trigger string, full bool)
	Orders
	Plan(ctx context.Context, req controller.PlanRequest) (controller.PlanResult, error)
	Agents(ctx context.Context) (controller.AgentsResult, error)
	Explain(ctx context.Context, target string) (controller.Explanation, error)
	Denials(ctx context.Context) (controller.DenialsResult, error)
	Tombstones(ctx context.Context) (controller.TombstonesResult, error)
	Ready() <-chan struct{}
	Progress() time.Time
}

// History is the index's record of what happened.
type History interface {
	// Events returns the matching ones, oldest first.
	Events(ctx context.Context, f agent.EventFilter) ([]agent.Event, error)
}

// parts are the wired adapters of one process, as far as the mode needs them.
type parts struct {
	loop    Loop
	history History
	// writable proves that the index would take a write, without one.
	writable func(ctx context.Context) error
	// written is when the index last took a write; zero: never.
	written func() time.Time
	// check looks for damage in the index; it reads all of it.
	check func(ctx context.Context) error
	// relayReadable proves that the relay answers and its rules can be read.
	relayReadable func(ctx context.Context) error
	// reload applies what can be changed while running.
	reload func(c *Config) error
	// metrics is the exposition; nil without one.
	metrics *telemetry
	// now is the wall clock.
	now func() time.Time
	// close lets go of the index. It may be called twice.
	close func() error
}
