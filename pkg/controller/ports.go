package controller

import (
	"context"
	"io/fs"
	"time"

	"k8s.io/utils/clock"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Sources is the desired state: manifests on disk.
type Sources interface {
	// Sweep looks at everything. It returns an error only when it could say
	// nothing at all (ctx ended); what it could not see is in the listing. The
	// listing is immutable, and the same one where nothing changed but the time
	// at which it began.
	Sweep(ctx context.Context, req agent.SweepRequest) (*agent.Listing, agent.Changes, error)
	// Probe takes one fresh look, within a deadline of its own.
	Probe(ctx context.Context, req agent.ProbeRequest) agent.Look

	// Inspect reads the manifest of a project for somebody who is going to write
	// it: the bytes too, and the project's real path. The error is an
	// agent.PathError where the path is no project directory.
	Inspect(ctx context.Context, path string) (agent.ManifestFile, error)
	// CreateManifest publishes a manifest where there is none; fs.ErrExist where
	// there is. It says whether it made .dork. Mode 0 is that of a new one.
	CreateManifest(ctx context.Context, project string, data []byte, mode fs.FileMode) (madeDir bool, err error)
	// ReplaceManifest puts next in the place of expected, in one step;
	// agent.ErrConflict where the file holds anything else.
	ReplaceManifest(ctx context.Context, project string, expected, next []byte) error
	// RemoveManifest takes the file away if it holds expected, and an empty .dork
	// too where that is asked for. Nothing else of the project is touched.
	RemoveManifest(ctx context.Context, project string, expected []byte, dorkDirToo bool) error
	// RecoverManifest clears what a crash left of the three beside a manifest.
	RecoverManifest(ctx context.Context, project string) (recovered bool, err error)
}

// Index is the observed state in SQLite, together with what the controller
// itself remembers in the same file.
type Index interface {
	// List returns the rows in short and all own state, and the ids whose row
	// changed since the last List (own successful commits are no change). When
	// neither the database nor its -wal moved, the database is not opened.
	List(ctx context.Context) (*agent.IndexListing, []agent.ID, error)
	// Read returns what is known of each id now, and who stands at each path.
	Read(ctx context.Context, ids []agent.ID, paths []string) (map[agent.ID]agent.View, map[string]agent.ID, error)
	// Named lists the agents of this name.
	Named(ctx context.Context, name string) ([]agent.ID, error)
	// Commit applies each change in its own right, all in one transaction: the
	// errors are one per change (nil, or agent.ErrConflict for one that did not
	// apply), err means that nothing is known to have landed: read again.
	Commit(ctx context.Context, changes []agent.Change) (errs []error, err error)
	// CommitRoots records what is remembered of scan roots.
	CommitRoots(ctx context.Context, roots []agent.Root) error
	// CommitProblems replaces the recorded problems of which no id is known.
	CommitProblems(ctx context.Context, problems []agent.Problem) error
	// Vacant tells which of these left namespaces no row names (system: no
	// system agent's row).
	Vacant(ctx context.Context, namespaces []string) (map[string]agent.Vacancy, error)
	// ForgetLeft drops the record of namespaces whose rules are settled.
	ForgetLeft(ctx context.Context, namespaces []string) error
	// Events lists history, oldest first: of one id ("" for everybody), since a
	// time, at most the newest limit (0: all).
	Events(ctx context.Context, f agent.EventFilter) ([]agent.Event, error)
	// Deny puts a path on the deny list, Undeny takes it off and says whether it
	// was on it, Denials lists them.
	Deny(ctx context.Context, path, reason string, now time.Time) error
	Undeny(ctx context.Context, path string) (found bool, err error)
	Denials(ctx context.Context) ([]agent.Denial, error)
	// Tombstones lists what left the index, the oldest first.
	Tombstones(ctx context.Context) ([]agent.Tombstone, error)
	// SetPaused records that converging is off for everybody, or on again.
	SetPaused(ctx context.Context, paused bool) error
	// Unclean reports whether a controller died at work and what it may have left
	// beside manifests was not cleared since; Cleared records that it was.
	Unclean() bool
	Cleared() error
	// Found ends the state of a lost index: a complete sweep has ended.
	Found(ctx context.Context) error
	// Rest is called when nothing is queued: the connection is closed, which
	// checkpoints and leaves no -wal.
	Rest() error
}

// Claims says whether this host may register an id. Locally always granted; in
// a fleet it is asked between file and index.
type Claims interface {
	Claim(ctx context.Context, id agent.ID, path string) error
}

// Clock is the one clock. Everybody else is handed a time.
type Clock interface {
	clock.WithTicker
	// Read is wall time with the boot it belongs to, and the time the machine
	// has been awake in this boot (CLOCK_MONOTONIC).
	Read() (stamp agent.Stamp, awake time.Duration)
}
