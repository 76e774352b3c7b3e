package plan

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// ActionType is one kind of effect.
type ActionType string

// The actions, in the order in which they are applied to one id: index before
// relay when adding, relay before index when removing.
const (
	InsertRow       ActionType = "insertRow"
	UpdateRow       ActionType = "updateRow"
	RelocateRow     ActionType = "relocateRow"
	MarkUnreachable ActionType = "markUnreachable"
	MarkActive      ActionType = "markActive"
	RemoveRow       ActionType = "removeRow"
	EnsureEndpoint  ActionType = "ensureEndpoint"
	RemoveEndpoint  ActionType = "removeEndpoint"
	MoveMail        ActionType = "moveMail"
	EnsureRules     ActionType = "ensureRules"
	RemoveRules     ActionType = "removeRules"
)

// ActionTypes lists the vocabulary.
func ActionTypes() []ActionType {
	return []ActionType{
		InsertRow, UpdateRow, RelocateRow, MarkUnreachable, MarkActive, RemoveRow,
		EnsureEndpoint, RemoveEndpoint, MoveMail, EnsureRules, RemoveRules,
	}
}

// Action is one effect: one port call.
type Action struct {
	Type ActionType
	// Differences of an update or a relocation, field by field.
	Differences []agent.Difference
	// Subject of an endpoint action; From is where mail comes from, "" where it
	// was kept aside.
	Subject, From agent.Subject
	// Namespace and System of a rules action.
	Namespace string
	System    bool
}

// Plan is what to do about one id, and why.
type Plan struct {
	ID   agent.ID
	Path string
	// Reason of what is done or, where nothing is, of what is so.
	Reason  agent.Reason
	Message string
	Actions []Action

	// Change is the index's part, in one transaction. Its Expected, State,
	// Problems and Events are set; KeepRow with nothing else to set writes
	// nothing.
	Change agent.Change
	// Record is a tombstone to be made durable before anything is taken away.
	Record *agent.Tombstone
	// Confirm asks for one more look at the home right before the first
	// removing action: it must be an absence still.
	Confirm bool

	// Deed is the event of what the actions do. It is recorded with the row's
	// change or, where the row does not change, once the relay has followed.
	Deed *agent.Event

	// Absent is the evidence of an orphan; Unknown where it is none.
	Absent agent.Evidence
	// Starts: the absence begins with this plan.
	Starts bool
	// RemoveAt is when an orphan will be removed by itself; zero: never, or not
	// an orphan.
	RemoveAt time.Time
	// Hold is the guard that stops the removal.
	Hold *Hold
	// Held: the hold is what keeps the orphan now; false in its plain grace.
	Held bool
	// RequeueAfter is when to look again without new evidence; 0: no need.
	RequeueAfter time.Duration
	// NeedSweep: a removal or a move waits for a complete listing.
	NeedSweep bool
	// SecondLook: a one-shot has to look once more.
	SecondLook bool
	// Retry: the evidence is doubt, or the relay is degraded; back off.
	Retry bool
}

// Hold is a guard that stops a removal.
type Hold struct {
	Reason agent.Reason
	Since  time.Time
	Until  time.Time // zero: it does not end by itself
}

// Pending reports whether the plan changes anything that a user sees.
func (p *Plan) Pending() bool { return len(p.Actions) > 0 || p.Starts }

// Writes reports whether carrying the plan out writes anything at all.
func (p *Plan) Writes() bool { return len(p.Actions) > 0 || !p.Change.Empty() }

func (p *Plan) add(a Action) { p.Actions = append(p.Actions, a) }
