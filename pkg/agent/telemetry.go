package agent

import "time"

// SweepStats is what a sweep cost. Trigger is startup, interval, signal or api;
// Result is ok, incomplete or error.
type SweepStats struct {
	Trigger, Result string
	Ended           time.Time
	Duration        time.Duration
	Stats, Reads    int
	// Complete by source: files, index, relay.
	Complete map[string]bool
}

// Gauges is how things stand.
type Gauges struct {
	Active, Unreachable                    int
	Unconverged                            int
	Invalid, Unreadable, Duplicate, Denied int // manifest problems
	InGrace, Held                          int // orphans
	HeldBy                                 map[Reason]int
	NextRemoval                            time.Time // zero: none is due
	RelayDegraded                          bool
	RelayDeferred                          int
	Parked, Quarantined                    int
	Paused                                 bool
}
