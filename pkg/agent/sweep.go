package agent

import "time"

// SweepRequest asks a source for everything it holds.
type SweepRequest struct {
	// Roots to walk: clean, real, absolute paths. Overlapping roots are walked
	// once; a directory belongs to the longest root that contains it.
	Roots []string
	// Known paths are looked at in any case, however deep or far outside every
	// root. In the order of their paths, none twice. The same slice is handed in as
	// long as nothing in it changed.
	Known []Known
	// Denied paths and everything below them are not looked at. Sorted.
	Denied []string
	// Full reads and hashes every manifest, whatever its fingerprint says.
	Full bool
	// Skim looks into a project, for others inside it, only now and then: at
	// least in every fourth sweep, and in this one when a manifest is not where
	// it was. Its manifest, and all others that are known, are looked at.
	Skim bool
	Now  time.Time
	// Edited, unless nil, is told while the sweep goes on of a manifest that still
	// carries its id where it did, and says something else. It may be called by
	// several goroutines, and once more after the sweep where one was left behind.
	Edited func(ID)
}

// Known is a path at which an id is on record.
type Known struct {
	Path string
	ID   ID
}

// Changes is what a sweep found different from the sweep before it.
type Changes struct {
	// All: there was none before it, so anything may be; the rest is not set.
	All bool
	// IDs that were or are concerned.
	IDs []ID
	// Paths whose sighting changed, appeared or vanished (files only).
	Paths []string
}

// ProbeRequest asks for one fresh look.
type ProbeRequest struct {
	Path string
	// Anchor is looked at when Path is not there: the scan root or, where there
	// is none, the parent directory.
	Anchor string
	// Worktree asks whether the project lies in a linked git worktree.
	Worktree bool
}
