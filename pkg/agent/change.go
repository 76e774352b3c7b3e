package agent

import "errors"

// What callers of a port branch on. Anything else that a port returns means
// that the world did not answer.
var (
	// ErrConflict: what a write was decided on no longer holds; observe again.
	ErrConflict = errors.New("the world moved")
	// ErrDeferred: the step would take a mailbox from a running DorkOS and
	// waits until it has stopped or was started anew.
	ErrDeferred = errors.New("deferred: DorkOS is running")
	// ErrDegraded: the relay's rules cannot be read, so nothing is written.
	ErrDegraded = errors.New("relay degraded")
)

// RowOp is what a change does to the row.
type RowOp uint8

// The operations.
const (
	KeepRow RowOp = iota
	InsertRow
	UpdateRow
	RelocateRow
	RemoveRow
)

// Change is one id's atomic write to the index. Everything in it lands in one
// transaction or not at all.
type Change struct {
	ID ID
	At Stamp
	// Expected is the row that was observed, nil where there was none. Where it
	// no longer matches (path and every value), the change is a conflict.
	Expected *Record
	Op       RowOp
	// Row is the row to be, for insert, update and relocate.
	Row *Record
	// Displaces is the id whose row was observed at Row.Path ("" for none): it
	// leaves the index for a tombstone of Reason Displaced in the same
	// transaction. Another incumbent than this one is a conflict.
	Displaces ID
	// DisplacedState is what to remember of it, unless something is already.
	DisplacedState *State
	// Bury records a tombstone for ID. A tombstone of the id is otherwise
	// consumed by an insert and left alone by the rest.
	Bury *Tombstone
	// Unbury drops a tombstone of the id that is void. Not together with Bury.
	Unbury bool
	// State replaces what is remembered; SetState with nil forgets it. Whether the
	// id is paused stays as it is recorded: what was planned before an operator said
	// otherwise must not overrule him.
	SetState bool
	State    *State
	// Pause switches converging of the id off or on, and leaves the rest of what is
	// remembered as it is.
	Pause *bool
	// Problems replaces the recorded problems of the id; kept ones keep Since.
	SetProblems bool
	Problems    []Problem
	// Left namespaces are recorded until their rules may go.
	Left   []string
	Events []Event
	// Durable changes are fsynced before the call returns.
	Durable bool
}

// View is what the index holds about one id, read fresh.
type View struct {
	Row       *Record
	State     *State
	Tombstone *Tombstone
	Problems  []Problem
	// Lost: the index was lost or replaced and no complete sweep has ended since.
	// Paused: converging is switched off for everybody. A listing that was made
	// before may not say so of either.
	Lost, Paused bool
}

// Places are where the index knows the id to be, or to have been refused.
func (v *View) Places() []string {
	var list []string
	switch {
	case v.Row != nil:
		list = append(list, v.Row.Path)
	case v.Tombstone != nil:
		list = append(list, v.Tombstone.Record.Path)
	}
	for i := range v.Problems {
		list = append(list, v.Problems[i].Path)
	}
	return list
}

// Empty reports that there is nothing to write.
func (c *Change) Empty() bool {
	return c.Op == KeepRow && c.Bury == nil && !c.Unbury && !c.SetState && c.Pause == nil && !c.SetProblems && len(c.Left) == 0 && len(c.Events) == 0
}

// Vacancy tells what of the index no longer needs a namespace.
type Vacancy struct {
	Empty    bool // no row names it
	NoSystem bool // no system agent's row names it
}
