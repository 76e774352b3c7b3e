package sources

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Options of a Tree. A zero field means its default.
type Options struct {
	// Depth of the walk: a root is at depth 0 and an agent at depth Depth is
	// found. One level more costs three to four times as much; use AtRoot for a
	// walk that looks at the roots alone.
	Depth int
	// ManagedHome is where isSystem counts, a clean real path; "" for nowhere.
	ManagedHome string
	// ProbeTimeout is how long a probe may take, and how long a sweep waits for
	// a mount to answer. Shorter takes a spun-down disk for a hung one, longer
	// keeps a worker waiting.
	ProbeTimeout time.Duration
	// MaxEntries bounds the directory entries that are read below one root.
	MaxEntries int
	// ScrubSweeps is the number of sweeps in which every manifest is read at
	// least once; NoScrub for never.
	ScrubSweeps int
}

// The explicit ends of the ranges.
const (
	AtRoot  = -1
	NoScrub = -1
)

// DefaultMaxEntries is what 300,000 projects of ordinary size hold. It is
// there for a root that was pointed at a mail spool or a loop: listing this
// many entries takes seconds, and a lower bound would cut real fleets short.
const DefaultMaxEntries = 10_000_000

// DefaultOptions are what zero fields mean.
func DefaultOptions() Options {
	return Options{
		Depth:        5,
		ProbeTimeout: 2 * time.Second,
		MaxEntries:   DefaultMaxEntries,
		ScrubSweeps:  12,
	}
}

// Validate names the first field that cannot be used.
func (o Options) Validate() error {
	switch {
	case o.Depth < AtRoot:
		return fmt.Errorf("depth %d: is negative", o.Depth)
	case o.ManagedHome != "" && (!filepath.IsAbs(o.ManagedHome) || filepath.Clean(o.ManagedHome) != o.ManagedHome):
		return fmt.Errorf("managed home %q: is not a clean absolute path", o.ManagedHome)
	case o.ProbeTimeout < 0:
		return errors.New("probe timeout: is negative")
	case o.MaxEntries < 0:
		return errors.New("max entries: is negative")
	case o.ScrubSweeps < NoScrub || o.ScrubSweeps > 255:
		return fmt.Errorf("scrub sweeps %d: is not in 1..255", o.ScrubSweeps)
	}
	return nil
}

// withDefaults replaces zero fields.
func (o Options) withDefaults() Options {
	d := DefaultOptions()
	if o.Depth == 0 {
		o.Depth = d.Depth
	}
	if o.ProbeTimeout == 0 {
		o.ProbeTimeout = d.ProbeTimeout
	}
	if o.MaxEntries == 0 {
		o.MaxEntries = d.MaxEntries
	}
	if o.ScrubSweeps == 0 {
		o.ScrubSweeps = d.ScrubSweeps
	}
	return o
}

// depth is the deepest level that is looked at.
func (o *Options) depth() int { return max(o.Depth, 0) }
