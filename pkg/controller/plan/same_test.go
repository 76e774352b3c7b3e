package plan_test

import (
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// samePlan compares two plans by value, by hand: reflection would cost more
// than the rest of the enumeration.
func samePlan(a, b *plan.Plan) bool {
	return a.ID == b.ID && a.Path == b.Path && a.Reason == b.Reason && a.Message == b.Message &&
		slices.EqualFunc(a.Actions, b.Actions, sameAction) && sameChange(&a.Change, &b.Change) &&
		samePointer(a.Record, b.Record) && a.Confirm == b.Confirm && samePointer(a.Deed, b.Deed) &&
		a.Absent == b.Absent && a.Starts == b.Starts && a.RemoveAt.Equal(b.RemoveAt) && samePointer(a.Hold, b.Hold) &&
		a.Held == b.Held && a.RequeueAfter == b.RequeueAfter && a.NeedSweep == b.NeedSweep && a.SecondLook == b.SecondLook && a.Retry == b.Retry
}

func sameChange(a, b *agent.Change) bool {
	return a.ID == b.ID && a.At == b.At && a.Expected == b.Expected && a.Op == b.Op && sameRecord(a.Row, b.Row) &&
		a.Unbury == b.Unbury && a.Displaces == b.Displaces && sameState(a.DisplacedState, b.DisplacedState) && samePointer(a.Bury, b.Bury) &&
		a.SetState == b.SetState && sameState(a.State, b.State) && a.SetProblems == b.SetProblems &&
		slices.Equal(a.Problems, b.Problems) && slices.Equal(a.Left, b.Left) && slices.Equal(a.Events, b.Events) &&
		a.Durable == b.Durable
}

func sameAction(a, b plan.Action) bool {
	return a.Type == b.Type && slices.Equal(a.Differences, b.Differences) && a.Subject == b.Subject &&
		a.From == b.From && a.Namespace == b.Namespace && a.System == b.System
}

func sameRecord(a, b *agent.Record) bool { return samePointer(a, b) }

func sameState(a, b *agent.State) bool { return samePointer(a, b) }

func samePointer[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}
