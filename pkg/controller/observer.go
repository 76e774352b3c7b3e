package controller

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Metrics is told what happens at the three seams: worker, apply and sweep.
// Every method may be called from any goroutine.
type Metrics interface {
	// Reconciled ends one handling of a key: ok, error, requeue, panic, timeout.
	Reconciled(result string, d time.Duration)
	// Converged is called when a key that differed is proven converged.
	Converged(lag time.Duration)
	// DriftDetected and DriftCorrected: kind row, field, path, namespace,
	// endpoint or rules; cause file, index, relay or unknown.
	DriftDetected(kind, cause string)
	DriftCorrected(kind, cause string)
	// Action ends one action of a plan: ok, error, conflict or deferred.
	Action(action, result string)
	// Removed counts a removal by its evidence.
	Removed(reason agent.Reason)
	// IndexError and RelayError count failed port calls.
	IndexError(op string)
	RelayError(op string)
	// Swept ends a sweep.
	Swept(s agent.SweepStats)
	// State replaces every gauge.
	State(g agent.Gauges)
}
