package agent

import "time"

// SweepRequest asks a source for everything it holds.
type SweepRequest struct {
	// Roots to walk: clean, real, absolute paths. Overlapping roots are walked
	// once; a directory belongs to the longest root that contains it.
	Roots []string
	// Known paths are looked at in any case, however deep or far outside every
	// root. Sorted. The same slice is handed in as long as nothing in it changed.
	Known []string
	// Denied paths and everything below them are not looked at. Sorted.
	Denied []string
	// Full reads and hashes every manifest, whatever its fingerprint says.
	Full bool
	// Skim looks into a project, for others inside it, only now and then: at
	// least in every fourth sweep, and in this one when a manifest is not where
	// it was. Its manifest, and all others that are known, are looked at.
	Skim bool
	// Digests asks for the digests of the manifests that are read.
	Digests bool
	Now     time.Time
}

// Changes is what a sweep found different from the sweep before it, the first
// one comparing with nothing.
type Changes struct {
	// IDs that were or are concerned.
	IDs []ID
	// Paths whose sighting changed, appeared or vanished (files only).
	Paths []string
	// Digests, where they were asked for: of the fields that follow from the
	// manifest alone, by id; of several manifests with one id that of any.
	Digests map[ID]uint64
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
