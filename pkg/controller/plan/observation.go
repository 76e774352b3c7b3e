package plan

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Observation is all that a decision about one id may rest on: fresh reads of
// file, row and relay, and the id's slice of the sweep's snapshot.
type Observation struct {
	ID  agent.ID
	Now agent.Stamp

	// From the index, read fresh.
	Row       *agent.Record
	State     *agent.State
	Tombstone *agent.Tombstone
	Problems  []agent.Problem
	Written   agent.FieldSet
	// IndexLost: the index was lost or restored and no complete sweep has ended
	// since; nothing is removed.
	IndexLost bool
	// LostSince is when that was found out, zero where it was not. What the index
	// says of time before it is a backup's: a clock that began earlier begins anew.
	LostSince time.Time

	// Home is a fresh look at the recorded path: the row's, else that of the
	// tombstone of a displaced or removed id. Nil where no path is recorded.
	Home *Home
	// Claims are the other places where the sweep saw the id, looked at afresh,
	// in the order of their paths.
	Claims []Claim
	// Twin is another id, with a row or an address, that differs only in letter case.
	Twin agent.ID

	// Contested are fields, or status, that another writer puts back whenever they
	// are corrected, with the value that they should have.
	Contested map[string]string

	// Order is what an operator wants of the id; zero where the loop acts alone.
	Order Order
	// Paused: an operator has switched convergence off, of the id or of all.
	Paused bool

	Relay Relay

	// Complete: the listing can speak about the recorded path (for an id
	// without one: about every root) and began after the last settle window
	// opened.
	Complete bool
	// Looks counts how often this process has seen the absence since the last
	// settle window opened, this look included; AbsentFor is how long, by the
	// monotonic clock.
	Looks     int
	AbsentFor time.Duration
	// Mass is the hold on the removals of the id's root, if there is one.
	Mass *Hold
	// MassReturned: there is none, not because one was released or is over but
	// because not enough of the others are missing. The clock of those that one
	// has held begins anew.
	MassReturned bool
}

// Order is an intent laid over an observation. It changes what is chosen among
// places that carry the id, and what the deed is called; never what evidence
// means.
type Order struct {
	// Reason is Registered, Updated or Relocated (PATH becomes the home of the id
	// whoever else carries it).
	Reason agent.Reason
	// Path that the order names.
	Path string
}

// Home is the recorded place of an id.
type Home struct {
	Look agent.Look
	// RootMount is what is remembered for the whole scan root; the state's own
	// mount comes first.
	RootMount agent.Mount
	// Dir is the directory's identity when it was last seen by this process.
	Dir    agent.FileID
	Denied bool
	Place  Placement
}

// Claim is a place other than the recorded one that carries the id.
type Claim struct {
	Look   agent.Look
	Place  Placement
	Denied bool
	// Complete: the listing covers this place too.
	Complete bool
	// RefusedBefore: it is already recorded as a duplicate.
	RefusedBefore bool
	// RootMount is what is remembered for the scan root of this place.
	RootMount agent.Mount
	// Incumbent is the other id whose row names this path.
	Incumbent *Incumbent
}

// Incumbent is whom a newcomer would displace.
type Incumbent struct {
	ID agent.ID
	// Mount remembered for it.
	Mount agent.Mount
}

// Placement is what follows from where a manifest lies.
type Placement struct {
	ScanRoot  string // effective root, "" for none
	Namespace string
	Managed   bool
	// Problem is set where the namespace may not be used: the manifest counts
	// as invalid there.
	Problem *agent.Violation
}

// Relay is what the relay has of the id and of the namespaces concerned.
type Relay struct {
	Enabled bool
	// Degraded says why the rules cannot be read.
	Degraded string
	// Down says why the relay does not answer at all: Endpoints is not known.
	Down string
	// Endpoints of the id that exist.
	Endpoints []agent.Endpoint
	// Kept: mail of the id was kept aside when its address was retired.
	Kept  bool
	Rules map[string]agent.RuleSet
	// Shared namespaces are those in which other ids live.
	Shared map[string]bool
}

// Policy is what an operator set.
type Policy struct {
	OrphanGrace time.Duration
	Settle      time.Duration
	// UnmountedGrace replaces the grace for a missing volume; 0 means never.
	UnmountedGrace time.Duration
	// OneShot: a second fresh look stands for the settle time.
	OneShot bool
	// Forecast: what waits only for further looks or a further listing counts
	// as having got them.
	Forecast bool
}

// remembered is the mount that covered the id when it was last Present.
func (o *Observation) remembered() agent.Mount {
	if o.State != nil && !o.State.Mount.IsZero() {
		return o.State.Mount
	}
	if o.Home != nil {
		return o.Home.RootMount
	}
	return agent.Mount{}
}

// missing reports whether an absence is on record.
func (o *Observation) missing() bool { return o.State != nil && !o.State.MissingSince.IsZero() }

// displaced reports whether the id lost its row to a newcomer and is in its
// grace.
func (o *Observation) displaced() bool {
	return o.Row == nil && o.Tombstone != nil && o.Tombstone.Reason == agent.Displaced
}

// path is where the id is recorded, "" for nowhere.
func (o *Observation) path() string {
	switch {
	case o.Row != nil:
		return o.Row.Path
	case o.Tombstone != nil:
		return o.Tombstone.Record.Path
	}
	return ""
}
