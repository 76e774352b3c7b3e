package controller

import (
	"fmt"
	"math"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// Options steer the loop. The zero value is not usable: start from
// DefaultOptions.
type Options struct {
	// ResyncInterval between sweeps; 0: only at startup and on demand.
	ResyncInterval time.Duration
	// ResyncJitter adds up to this part of the interval, so that hosts that
	// started together drift apart.
	ResyncJitter float64
	// OrphanGrace is how long a missing agent stays before it is removed.
	OrphanGrace time.Duration
	// Settle is how long this process must have seen an absence before it
	// removes anything.
	Settle time.Duration
	// UnmountedGrace replaces OrphanGrace for a missing volume; 0: never.
	UnmountedGrace time.Duration
	// MassMissingMin, MassMissingRatio (0: off) and MassMissingHold (0: three
	// times OrphanGrace) describe a mass disappearance.
	MassMissingMin   int
	MassMissingRatio float64
	MassMissingHold  time.Duration
	// Workers handle batches of keys side by side.
	Workers int
	// ScanRoots as configured: clean, absolute, real. The managed home and the
	// roots recorded in the index come on top.
	ScanRoots []string
	// ManagedHome is <dork-home>/agents.
	ManagedHome string
	// NeverWalk are paths that are no root unless configured: / and $HOME.
	NeverWalk []string
	// OneShot: no sweep of its own; every removal takes a second look instead of
	// settling.
	OneShot bool
	// ReadOnly: only Plan, Agents and Explain are called; nothing is written,
	// not even what is remembered.
	ReadOnly bool
}

// DefaultOptions are those of the command line.
func DefaultOptions() Options {
	return Options{
		ResyncInterval:   5 * time.Minute,
		ResyncJitter:     0.1,
		OrphanGrace:      24 * time.Hour,
		Settle:           time.Minute,
		UnmountedGrace:   720 * time.Hour,
		MassMissingMin:   5,
		MassMissingRatio: 0.55,
		Workers:          2,
	}
}

// Validate names the first option that is out of range.
func (o Options) Validate() error {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"resync-interval", o.ResyncInterval},
		{"orphan-grace", o.OrphanGrace},
		{"settle", o.Settle},
		{"unmounted-grace", o.UnmountedGrace},
		{"mass-missing-hold", o.MassMissingHold},
	} {
		if d.value < 0 {
			return fmt.Errorf("%s: %s is negative", d.name, d.value)
		}
	}
	switch {
	case !(o.ResyncJitter >= 0 && o.ResyncJitter <= 1):
		return fmt.Errorf("resync-jitter: %v is not between 0 and 1", o.ResyncJitter)
	case math.IsNaN(o.MassMissingRatio) || o.MassMissingRatio < 0 || o.MassMissingRatio > 1:
		return fmt.Errorf("mass-missing-ratio: %v is not between 0 and 1", o.MassMissingRatio)
	case o.MassMissingMin < 1:
		return fmt.Errorf("mass-missing-min: %d is less than 1", o.MassMissingMin)
	case o.Workers < 1:
		return fmt.Errorf("workers: %d is less than 1", o.Workers)
	}
	return nil
}

func (o Options) massHold() time.Duration {
	if o.MassMissingHold == 0 {
		return 3 * o.OrphanGrace
	}
	return o.MassMissingHold
}

func (o Options) policy() plan.Policy {
	return plan.Policy{
		OrphanGrace:    o.OrphanGrace,
		Settle:         o.Settle,
		UnmountedGrace: o.UnmountedGrace,
		OneShot:        o.OneShot,
	}
}

func (o Options) massPolicy() plan.MassPolicy {
	return plan.MassPolicy{
		Min:    o.MassMissingMin,
		Ratio:  o.MassMissingRatio,
		Window: plan.MassWindow(o.ResyncInterval),
		Hold:   o.massHold(),
	}
}
