package controller

import (
	"context"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// granted are the claims of a host that is alone.
type granted struct{}

// Claim grants the id.
func (granted) Claim(context.Context, agent.ID, string) error { return nil }

// unheard are metrics that nobody scrapes.
type unheard struct{}

func (unheard) Reconciled(string, time.Duration) {}
func (unheard) Converged(time.Duration)          {}
func (unheard) DriftDetected(string, string)     {}
func (unheard) DriftCorrected(string, string)    {}
func (unheard) Action(string, string)            {}
func (unheard) Removed(agent.Reason)             {}
func (unheard) IndexError(string)                {}
func (unheard) RelayError(string)                {}
func (unheard) Swept(agent.SweepStats)           {}
func (unheard) State(agent.Gauges)               {}
