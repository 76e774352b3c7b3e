package agent

import "time"

// State is what the controller itself remembers of an id; an agent with
// nothing to remember has none.
type State struct {
	ID ID
	// MissingSince is written once per absence and cleared only by Present.
	// Zero: not missing.
	MissingSince time.Time
	// Clock is where the grace runs from. It moves forward only.
	Clock Stamp
	// Evidence of the last look that changed anything.
	Evidence Evidence
	// Mount is remembered when it differs from the root's, and for every
	// orphan. Zero: the root's.
	Mount Mount
	// Lost: the absence was found while the index was known to be lost; the
	// unmounted grace applies.
	Lost bool
	// Held: a mass disappearance has held its removal since the clock began.
	Held bool
	// Paused: convergence of this id is off, by an operator (Change.Pause).
	Paused bool
}

// Empty reports that there is nothing worth a row.
func (s *State) Empty() bool {
	return s == nil || (s.MissingSince.IsZero() && s.Mount.IsZero() && !s.Paused)
}

// Tombstone keeps what only the index knew of a row that left it, for 30 days.
type Tombstone struct {
	ID     ID
	Reason Reason // Displaced, Removed, Denied or Unregistered
	At     time.Time
	// Record is the row as it was.
	Record Record
	// Evidence: errno, mount, missing_since and now, for an audit. JSON.
	Evidence string
}

// Problem is a manifest that is refused, one that could not be read, a
// contested row or a leaked endpoint. Path is the project directory (of a
// leaked endpoint the mailbox). A problem is identified by path, reason and id.
type Problem struct {
	Path    string
	Reason  Reason
	ID      ID // "" where no id is concerned
	Message string
	// Since is set by the store when the problem is first recorded and stays.
	Since time.Time
}

// Event is one line of history.
type Event struct {
	At      time.Time
	ID      ID // "" where no agent is concerned
	Reason  Reason
	Path    string
	Message string
}

// EventFilter selects history: of one id ("" for everybody), at or after a time,
// at most the newest Limit (0: all).
type EventFilter struct {
	ID    ID
	Since time.Time
	Limit int
}

// Denial is an entry of the deny list.
type Denial struct {
	Path   string
	Reason string
	Since  time.Time
}

// Root is what is remembered of a scan root.
type Root struct {
	Path string
	// Mount of the root when an agent below it was last Present.
	Mount Mount
	// ReleasedAt: absences that began up to here are not held as a mass
	// disappearance. Zero: never released.
	ReleasedAt time.Time
}

// Missing reports whether an absence is on record.
func (s *State) Missing() bool { return s != nil && !s.MissingSince.IsZero() }
