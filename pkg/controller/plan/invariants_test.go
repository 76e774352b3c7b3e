package plan_test

import (
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// verdict is one observation with what was decided about it.
type verdict struct {
	o      *plan.Observation
	policy plan.Policy
	p      plan.Plan
	next   plan.Observation // the world after the plan
	again  plan.Plan        // what is decided then

	evidence agent.Evidence // of the home, as the test judges it
}

// invariant holds for every observation.
type invariant struct {
	name string
	// broken says how the invariant is broken, "" when it holds.
	broken func(v *verdict) string
}

// invariants are what no plan may ever break.
func invariants() []invariant {
	return []invariant{
		{"FixedPoint", fixedPoint},
		{"FileWins", fileWins},
		{"NoActionOnDoubt", noActionOnDoubt},
		{"NothingDestructiveOnThinEvidence", nothingDestructiveOnThinEvidence},
		{"RelocationsNeedProof", relocationsNeedProof},
		{"DueMeansRemoved", dueMeansRemoved},
		{"GraceBounds", graceBounds},
		{"MissingSinceOnce", missingSinceOnce},
		{"OnlyPresentClears", onlyPresentClears},
		{"ClockForwardOnly", clockForwardOnly},
		{"StatusFollowsEvidence", statusFollowsEvidence},
		{"ExactlyOneEndpoint", exactlyOneEndpoint},
		{"ActionsInOrder", actionsInOrder},
		{"RefusalMutatesNothing", refusalMutatesNothing},
		{"ReadableNeverRemoved", readableNeverRemoved},
		{"DisplacesOnlyObservedIncumbent", displacesOnlyObservedIncumbent},
		{"DegradedAddsNothing", degradedAddsNothing},
		{"RecordBeforeRemoval", recordBeforeRemoval},
		{"ChangeMatchesActions", changeMatchesActions},
		{"ReasonIsKnown", reasonIsKnown},
		{"RecordedRefusalsSurviveAbsence", recordedRefusalsSurviveAbsence},
		{"EveryRefusalIsListed", everyRefusalIsListed},
		{"EveryChangeIsTold", everyChangeIsTold},
		{"OrderOfClaimsIsNoMatter", orderOfClaimsIsNoMatter},
		{"LeftNamespacesAreRecorded", leftNamespacesAreRecorded},
		{"OrderedPlaceOrNothing", orderedPlaceOrNothing},
		{"UnregisteredOnlyByRecord", unregisteredOnlyByRecord},
		{"VoidRecordsGo", voidRecordsGo},
		{"ContestedIsLeftAlone", contestedIsLeftAlone},
		{"HeldByTheHold", heldByTheHold},
		{"NoClockWhileCarried", noClockWhileCarried},
	}
}

// noClockWhileCarried: the clock of an address without a row does not run while a
// readable manifest carries the id, be it refused, and does not begin while one
// cannot be told.
func noClockWhileCarried(v *verdict) string {
	if v.o.Row != nil || v.p.Reason != agent.EndpointLeaked {
		return ""
	}
	if carried(v.o) && v.next.State != nil && v.next.State.Missing() {
		return "a clock runs beside a manifest that carries the id"
	}
	for i := range v.o.Claims {
		c := &v.o.Claims[i]
		if !c.Denied && (c.Look.Class == agent.Unknown || c.Look.Class == agent.Invalid) && v.p.Starts {
			return "a clock begins beside " + c.Look.Path
		}
	}
	return ""
}

// carried reports whether a readable manifest carries the id, be it refused.
func carried(o *plan.Observation) bool {
	return slices.ContainsFunc(o.Claims, func(c plan.Claim) bool {
		return !c.Denied && c.Look.Class == agent.Present && c.Look.Manifest.ID == o.ID
	})
}

// whilePaused are the invariants of what is switched off.
func whilePaused() []invariant {
	return []invariant{
		{"PausedDoesNothing", pausedDoesNothing},
		{"ReasonIsKnown", reasonIsKnown},
	}
}

// fixedPoint: once a plan is done, the same evidence asks for nothing more: no
// action, no write, no event. After a removal by the deny list the other places
// that carry the id have their say.
func fixedPoint(v *verdict) string {
	if quiet(&v.again) {
		return ""
	}
	if v.p.Record != nil && v.p.Record.Reason == agent.Denied && len(v.next.Claims) > 0 {
		later := apply(v.next, &v.again)
		if p := plan.Compute(later, v.policy); quiet(&p) {
			return ""
		}
	}
	return "after it is applied:\n" + digest(v.again)
}

// quiet reports whether a plan does and writes nothing.
func quiet(p *plan.Plan) bool {
	c := &p.Change
	return len(p.Actions) == 0 && c.Op == agent.KeepRow && !c.SetState && !c.SetProblems && len(c.Events) == 0 &&
		len(c.Left) == 0 && !c.Unbury && !c.Durable && c.Displaces == "" && p.Deed == nil && p.Record == nil && !p.Starts && !p.Confirm
}

// fileWins: an agent that is at home and not denied ends active, not missing,
// at its path, and with every written field as its manifest has it. Other
// fields stay, and so does what another writer insists on.
func fileWins(v *verdict) string {
	home, row := v.next.Home, v.next.Row
	if row == nil || home.Denied || judge(&v.next) != agent.Present {
		return ""
	}
	if row.Status != keeps(v, "status", agent.Active) || row.Path != home.Look.Path {
		return "the row is " + row.Status + " at " + row.Path
	}
	if v.next.State != nil && !v.next.State.MissingSince.IsZero() {
		return "it is still missing"
	}
	want := agent.Desired(home.Look.Manifest, agent.Place{Namespace: home.Place.Namespace, Managed: home.Place.Managed})
	for i := range want {
		if v.o.Row != nil && (!v.o.Written.Has(i) || insisted(v, agent.FieldTable[i].Name, want[i].String())) {
			want[i] = v.o.Row.Fields[i]
		}
		if row.Fields[i] != want[i] {
			return agent.FieldTable[i].Name + " is " + row.Fields[i].String() + ", want " + want[i].String()
		}
	}
	if v.o.Row == nil {
		return ""
	}
	before, after := *v.o.Row, *row
	after.Fields, after.Path, after.ScanRoot, after.Status = before.Fields, before.Path, before.ScanRoot, before.Status
	if before != after {
		return "a column that is written once was written"
	}
	return ""
}

// insisted reports whether another writer insists on something else than the
// value that is wanted, in a row that stays where it is.
func insisted(v *verdict, field, want string) bool {
	to, contested := v.o.Contested[field]
	return contested && to == want && v.p.Change.Op != agent.InsertRow && v.p.Change.Op != agent.RelocateRow
}

// keeps is the status that the row ends with where another one is wanted.
func keeps(v *verdict, field, want string) string {
	if insisted(v, field, want) {
		return v.o.Row.Status
	}
	return want
}

// noActionOnDoubt: a home that could not be looked at changes nothing, and is
// tried again; an invalid manifest changes neither row nor clock nor identity.
// A displaced id whose old place cannot be judged waits likewise. Who adopts a
// place settles it.
func noActionOnDoubt(v *verdict) string {
	if v.o.Home == nil || adopts(v.o) || v.o.Row != nil && v.o.Home.Denied {
		return ""
	}
	if v.o.Row == nil && (len(v.o.Claims) > 0 || v.o.Tombstone.Reason != agent.Displaced) {
		return ""
	}
	if v.evidence != agent.Unknown && v.evidence != agent.Invalid {
		return ""
	}
	c := &v.p.Change
	if c.Op != agent.KeepRow || c.SetState || c.Displaces != "" || v.p.Record != nil || v.p.Starts {
		return "something changed"
	}
	if v.evidence == agent.Unknown && (len(v.p.Actions) > 0 || !v.p.Retry) {
		return "an action, or no retry"
	}
	return ""
}

// nothingDestructiveOnThinEvidence: what takes an id out of index or relay
// rests on the deny list, on a removal or an unregistration that is on record,
// or on all of: a fresh absence, a complete listing, a grace that is over, an index that was
// not lost, no hold, and an absence that was seen to settle. A forecast takes
// looks and listing for granted.
func nothingDestructiveOnThinEvidence(v *verdict) string {
	if !destructive(&v.p) {
		return ""
	}
	r := v.p.Record
	switch {
	case r == nil:
		if v.o.Row != nil || v.o.Tombstone == nil || v.o.Tombstone.Reason == agent.Displaced {
			return "there is no removal to finish"
		}
		if v.o.IndexLost {
			return "a recorded removal is finished on a lost index"
		}
		return ""
	case r.Reason == agent.Denied:
		displaced := v.o.Tombstone != nil && v.o.Tombstone.Reason == agent.Displaced
		if v.o.Home == nil || !v.o.Home.Denied || v.o.Row == nil && !displaced {
			return "it is not denied"
		}
		return ""
	case r.Reason == agent.Unregistered:
		return "" // UnregisteredOnlyByRecord
	}
	if (v.o.Home != nil) != v.p.Confirm {
		return "the last look is not confirmed"
	}
	if why := notDue(v); why != "" {
		return why
	}
	return ""
}

func destructive(p *plan.Plan) bool {
	return p.Record != nil || p.Change.Op == agent.RemoveRow || slices.ContainsFunc(p.Actions, func(a plan.Action) bool {
		return a.Type == plan.RemoveRow || a.Type == plan.RemoveEndpoint
	})
}

// notDue says why an absence must not end in a removal now, "" when it must.
func notDue(v *verdict) string {
	o := v.o
	switch e := v.evidence; {
	case !e.Absent():
		return "the evidence is " + e.String()
	case claimedSomewhere(o):
		return "a manifest that carries the id, or may do so, is somewhere"
	case o.Mass != nil && o.Mass.Until.After(o.Now.Wall):
		return "a mass disappearance holds it"
	case o.Relay.Down != "":
		return "the relay is down, so that its addresses are not known"
	}
	g, ends := graceOf(v)
	if !ends || passed(v) < g {
		return "the grace is not over"
	}
	if v.policy.Forecast {
		return ""
	}
	s := min(v.policy.Settle, g)
	switch {
	case !o.Complete || o.IndexLost:
		return "the listing is not complete"
	case o.Looks < 2:
		return "it was looked at once"
	case !v.policy.OneShot && o.AbsentFor < s:
		return "it has not settled"
	}
	return ""
}

// claimedSomewhere reports whether a place other than home carries the id, or
// may do so.
func claimedSomewhere(o *plan.Observation) bool {
	return slices.ContainsFunc(o.Claims, func(c plan.Claim) bool {
		switch c.Look.Class {
		case agent.Present:
			return !c.Denied && c.Look.Manifest.ID == o.ID
		case agent.Unknown, agent.Invalid:
			return !c.Denied
		case agent.OtherAgent, agent.FileMissing, agent.DirMissing, agent.VolumeGone:
		}
		return false
	})
}

// graceOf is the grace that the absence has, false for one without end.
func graceOf(v *verdict) (time.Duration, bool) {
	lost := v.o.State != nil && v.o.State.Lost
	displaced := v.o.Tombstone != nil && v.o.Tombstone.Reason == agent.Displaced
	if v.o.IndexLost && v.o.Row == nil && (missingSince(v.o.State).IsZero() || !displaced) {
		lost = true
	}
	if v.evidence == agent.VolumeGone || lost {
		return v.policy.UnmountedGrace, v.policy.UnmountedGrace > 0
	}
	return v.policy.OrphanGrace, true
}

// passed is the time that the absence has lasted: none when it begins now, when
// its clock lies in the future or is older than a loss of the index, when a
// missing volume turns into another absence, or when the others of a mass
// disappearance that held it came back; and the forward steps of the clock within
// one boot do not count.
func passed(v *verdict) time.Duration {
	s := v.o.State
	if s == nil || s.MissingSince.IsZero() || s.Clock.Wall.After(v.o.Now.Wall) || v.o.MassReturned && s.Held ||
		s.Clock.Wall.Before(v.o.LostSince) || s.Evidence == agent.VolumeGone && v.evidence != agent.VolumeGone {
		return 0
	}
	d := v.o.Now.Wall.Sub(s.Clock.Wall)
	if s.Clock.BootID == v.o.Now.BootID && v.o.Now.Offset > s.Clock.Offset {
		d -= v.o.Now.Offset - s.Clock.Offset
	}
	return d
}

// judge is what the home says about the id, written down a second time: an
// absence counts only on the mount that is remembered.
func judge(o *plan.Observation) agent.Evidence {
	h := o.Home
	if h == nil { // an address without agent
		return agent.DirMissing
	}
	remembered := h.RootMount
	if o.State != nil && o.State.Mount != (agent.Mount{}) {
		remembered = o.State.Mount
	}
	otherVolume := remembered != (agent.Mount{}) && remembered != h.Look.Mount
	switch h.Look.Class {
	case agent.Present:
		switch {
		case h.Look.Manifest.ID == o.ID && h.Place.Problem != nil:
			return agent.Invalid
		case h.Look.Manifest.ID == o.ID:
			return agent.Present
		case otherVolume:
			return agent.VolumeGone
		}
		return agent.OtherAgent
	case agent.FileMissing, agent.DirMissing:
		if otherVolume || remembered == (agent.Mount{}) && h.Look.AnchorGone {
			return agent.VolumeGone
		}
	case agent.Unknown, agent.Invalid, agent.OtherAgent, agent.VolumeGone:
	}
	return h.Look.Class
}

// relocationsNeedProof: an id changes directory only when its home is proven
// empty of it on the volume where it was, on a complete listing, with no place
// in doubt, and to a place that carries it now and may have it. A linked
// worktree does not inherit from a directory that stands. To adopt a place is to
// answer for all that, but for the place itself.
func relocationsNeedProof(v *verdict) string {
	if v.o.Row == nil || v.next.Row == nil || v.next.Row.Path == v.o.Row.Path {
		return ""
	}
	if adopts(v.o) && v.next.Row.Path == v.o.Order.Path {
		return ""
	}
	if !v.evidence.Absent() || v.evidence == agent.VolumeGone {
		return "the evidence is " + v.evidence.String()
	}
	if !v.o.Complete {
		return "the listing is not complete"
	}
	for i := range v.o.Claims {
		c := &v.o.Claims[i]
		if c.Look.Class == agent.Unknown && !c.Denied {
			return "a place is in doubt"
		}
		if c.Look.Path != v.next.Row.Path {
			continue
		}
		if c.Look.Class != agent.Present || c.Look.Manifest.ID != self || c.Denied || c.Place.Problem != nil || !c.Complete {
			return "the new place does not hold up"
		}
		if c.Look.Worktree && v.o.Home.Look.Class != agent.DirMissing {
			return "a worktree inherited from a directory that stands"
		}
	}
	return ""
}

// dueMeansRemoved: an orphan for which nothing is in the way is removed now.
func dueMeansRemoved(v *verdict) string {
	if !orphaned(v.o) || notDue(v) != "" {
		return ""
	}
	want := agent.Removed
	if departs(v) {
		want = agent.Unregistered
	}
	if v.p.Record == nil || v.p.Record.Reason != want || v.next.Row != nil ||
		v.o.Relay.Enabled && len(v.next.Relay.Endpoints) > 0 {
		return "it stays"
	}
	return ""
}

// orphaned reports whether the id has something that an absence could end, and
// nothing else claims to decide about it.
func orphaned(o *plan.Observation) bool {
	switch {
	case o.Row != nil:
		return !o.Home.Denied
	case o.Tombstone == nil:
		return len(o.Relay.Endpoints) > 0
	}
	return o.Tombstone.Reason == agent.Displaced
}

// graceBounds: an orphan that waits for its grace alone is looked at again at
// the very nanosecond at which the grace ends: not removed one before it, due
// at it. While the relay is down it is due and tried again. Its end never lies in
// the past.
func graceBounds(v *verdict) string {
	if !v.p.RemoveAt.IsZero() && v.p.RemoveAt.Before(v.o.Now.Wall) {
		return "it was to be removed " + at(v.p.RemoveAt)
	}
	if v.p.RequeueAfter <= 0 || v.p.RemoveAt.IsZero() || v.p.Hold != nil && v.p.Hold.Reason != agent.VolumeMissing {
		return ""
	}
	g, _ := graceOf(v)
	if want := g - passed(v); v.p.RequeueAfter != want || !v.p.RemoveAt.Equal(v.o.Now.Wall.Add(want)) {
		return "it asks for another time than " + want.String()
	}
	late := v.next
	late.Now.Wall = v.o.Now.Wall.Add(v.p.RequeueAfter - 1)
	late.Complete, late.IndexLost, late.Looks, late.AbsentFor = true, false, 2, settle
	if p := plan.Compute(late, v.policy); p.Record != nil {
		return "it is removed one nanosecond early"
	}
	late.Now.Wall = late.Now.Wall.Add(1)
	p := plan.Compute(late, v.policy)
	if late.Relay.Down != "" {
		if p.Record != nil || !p.Retry || p.RequeueAfter != 0 || p.Hold != nil || p.Held || !p.RemoveAt.Equal(late.Now.Wall) {
			return "while the relay is down:\n" + digest(p)
		}
		return ""
	}
	if p.Record == nil {
		return "it is not removed in time"
	}
	return ""
}

// missingSinceOnce: the beginning of an absence is written once, at the first
// absence that was seen, and never moves.
func missingSinceOnce(v *verdict) string {
	before, after := missingSince(v.o.State), missingSince(v.next.State)
	switch {
	case after.IsZero():
		return ""
	case !before.IsZero() && !after.Equal(before):
		return "it moved"
	case before.IsZero() && (!after.Equal(v.o.Now.Wall) || !v.evidence.Absent()):
		return "it begins on " + v.evidence.String()
	case before.IsZero() && (!v.p.Starts || !v.p.Change.Durable || len(v.p.Change.Events) == 0):
		return "the beginning is not announced, or not durable"
	}
	return ""
}

func missingSince(s *agent.State) time.Time {
	if s == nil {
		return time.Time{}
	}
	return s.MissingSince
}

// onlyPresentClears: the memory of an absence ends with a manifest at home, a
// removal, or when nothing is left of the id to be missing: no address, and the
// relay says so, or one that the order to unregister a displaced id takes away, or
// that goes since the id is at home in a denied place. That of an address without a
// row ends with any manifest that carries the id.
func onlyPresentClears(v *verdict) string {
	if missingSince(v.o.State).IsZero() || !missingSince(v.next.State).IsZero() || v.p.Record != nil {
		return ""
	}
	if v.next.Row != nil && judge(&v.next) == agent.Present {
		return ""
	}
	if t := v.o.Tombstone; v.o.Row == nil && v.o.Relay.Down == "" && (t == nil || t.Reason != agent.Displaced) {
		inDenied := v.o.Home != nil && v.o.Home.Denied && !v.evidence.Absent() && !claimedSomewhere(v.o)
		ended := t != nil && !v.o.IndexLost && (t.Reason == agent.Unregistered && !v.o.State.Lost || inDenied)
		if len(v.o.Relay.Endpoints) == 0 || ended || carried(v.o) {
			return ""
		}
	}
	return "it was cleared"
}

// clockForwardOnly: the clock of an absence moves only to now, only when it
// lies in the future or is older than a loss of the index, a missing volume has
// turned into another absence or a mass hold that held it has ended by return;
// who is paused stays paused.
func clockForwardOnly(v *verdict) string {
	before, after := v.o.State, v.next.State
	if before != nil && before.Paused && (after == nil || !after.Paused) {
		return "it is not paused any more"
	}
	if missingSince(before).IsZero() || missingSince(after).IsZero() || before.Clock == after.Clock {
		return ""
	}
	if after.Clock != v.o.Now {
		return "it moved elsewhere than to now"
	}
	if !v.evidence.Absent() || !before.Clock.Wall.After(v.o.Now.Wall) && !(v.o.MassReturned && before.Held) &&
		!before.Clock.Wall.Before(v.o.LostSince) && (before.Evidence != agent.VolumeGone || v.evidence == agent.VolumeGone) {
		return "it moved without cause"
	}
	if !v.p.Change.Durable {
		return "it moved, but not durably"
	}
	return ""
}

// statusFollowsEvidence: a row whose manifest is not at home, and which stays
// where it is, is unreachable at once, unless another writer insists on
// something else, and otherwise as it was. Its clock runs, but for one that is
// unregistered and waits for the relay alone.
func statusFollowsEvidence(v *verdict) string {
	if v.o.Row == nil || v.next.Row == nil || v.next.Row.Path != v.o.Row.Path || !v.evidence.Absent() || v.o.Home.Denied {
		return ""
	}
	want := *v.o.Row
	want.Status = keeps(v, "status", agent.Unreachable)
	if *v.next.Row != want {
		return "the row is " + v.next.Row.Status
	}
	if missingSince(v.next.State).IsZero() && !departs(v) {
		return "no clock runs"
	}
	return ""
}

// exactlyOneEndpoint: an id with a row, a healthy relay and a home that could
// be looked at has its one address, whole, with its mail, under its rules. What
// an interrupted removal took away stays away where it is to go on.
func exactlyOneEndpoint(v *verdict) string {
	row, r := v.next.Row, &v.next.Relay
	if row == nil || !r.Enabled || r.Degraded != "" || r.Down != "" || v.evidence == agent.Unknown && v.o.Row != nil {
		return ""
	}
	if v.o.Row != nil && v.evidence.Absent() && row.Path == v.o.Row.Path && interruptedRemoval(v.o, agent.Removed) && !stopped(v) {
		return ""
	}
	if len(r.Endpoints) != 1 || r.Endpoints[0].Subject != row.Subject() || !r.Endpoints[0].Whole || r.Kept {
		return "the address is not right"
	}
	if !r.Rules[row.Namespace()].Covers(row.System()) {
		return "the rules are not there"
	}
	return ""
}

// actionsInOrder: when adding, the row, then the rules, then the address, then
// the mail, then old rules; when removing, the address, then the row, then the
// rules.
func actionsInOrder(v *verdict) string {
	rank := func(t plan.ActionType) int {
		order := []plan.ActionType{
			plan.InsertRow, plan.RelocateRow, plan.UpdateRow, plan.MarkActive, plan.MarkUnreachable,
			plan.EnsureRules, plan.EnsureEndpoint, plan.MoveMail, plan.RemoveRules,
		}
		if destructive(&v.p) {
			order = []plan.ActionType{plan.RemoveEndpoint, plan.RemoveRow, plan.RemoveRules}
		}
		return slices.Index(order, t)
	}
	last := 0
	for i := range v.p.Actions {
		r := rank(v.p.Actions[i].Type)
		if r < last {
			return string(v.p.Actions[i].Type) + " is out of order"
		}
		last = r
	}
	return ""
}

// refusalMutatesNothing: while the recorded home holds the id, or may hold it,
// other places that carry it change neither row nor relay nor memory, and
// displace nobody: only problems and words differ from a world without them. An
// operator may adopt one.
func refusalMutatesNothing(v *verdict) string {
	if adopts(v.o) || len(v.o.Claims) == 0 || v.o.Row == nil || v.o.Home.Denied {
		return ""
	}
	switch v.evidence {
	case agent.Present, agent.Invalid, agent.Unknown:
	case agent.OtherAgent, agent.FileMissing, agent.DirMissing, agent.VolumeGone:
		return ""
	}
	alone := *v.o
	alone.Claims = nil
	p := plan.Compute(alone, v.policy)
	a, b := &p.Change, &v.p.Change
	if b.Displaces != "" || a.Op != b.Op || a.SetState != b.SetState || !sameRecord(a.Row, b.Row) || !sameState(a.State, b.State) ||
		!slices.EqualFunc(p.Actions, v.p.Actions, sameAction) {
		return "without the copies:\n" + digest(p)
	}
	return ""
}

// readableNeverRemoved: an agent whose manifest can be read at home or
// anywhere else, or may be there, is not removed, unless its home is denied.
func readableNeverRemoved(v *verdict) string {
	if v.p.Record == nil || v.p.Record.Reason == agent.Denied {
		return ""
	}
	if claimedSomewhere(v.o) || !v.evidence.Absent() {
		return "it was removed"
	}
	return ""
}

// displacesOnlyObservedIncumbent: who takes a path displaces whom it observed
// there, nobody else, durably; the clock of the displaced runs from now, with
// the evidence that the path is another's or another volume's.
func displacesOnlyObservedIncumbent(v *verdict) string {
	c := &v.p.Change
	var want agent.ID
	var mount agent.Mount
	if c.Op == agent.InsertRow || c.Op == agent.RelocateRow {
		for i := range v.o.Claims {
			if in := v.o.Claims[i].Incumbent; in != nil && v.o.Claims[i].Look.Path == c.Row.Path {
				want, mount = in.ID, in.Mount
			}
		}
	}
	if c.Displaces != want {
		return "it displaces " + string(c.Displaces) + ", want " + string(want)
	}
	if want == "" {
		return ""
	}
	evidence := agent.OtherAgent
	if mount != (agent.Mount{}) && mount != v.next.Home.Look.Mount {
		evidence = agent.VolumeGone
	}
	s := agent.State{ID: want, MissingSince: v.o.Now.Wall, Clock: v.o.Now, Evidence: evidence, Mount: mount}
	if c.DisplacedState == nil || *c.DisplacedState != s || !c.Durable {
		return "its state is " + stateText(c.DisplacedState)
	}
	return ""
}

// degradedAddsNothing: while the rules cannot be read no address and no rule is
// added or moved, and no rule is removed; a relay that is off, or does not
// answer, is left alone.
func degradedAddsNothing(v *verdict) string {
	r := &v.o.Relay
	for i := range v.p.Actions {
		switch a := &v.p.Actions[i]; a.Type {
		case plan.EnsureRules, plan.RemoveRules, plan.EnsureEndpoint, plan.MoveMail:
			if !r.Enabled || r.Degraded != "" || r.Down != "" {
				return string(a.Type)
			}
		case plan.RemoveEndpoint:
			if !r.Enabled || r.Down != "" {
				return string(a.Type)
			}
		case plan.InsertRow, plan.UpdateRow, plan.RelocateRow, plan.MarkUnreachable, plan.MarkActive, plan.RemoveRow:
		}
	}
	return ""
}

// recordBeforeRemoval: what leaves the index leaves a tombstone with the row
// and the evidence, durably, and an event, unless the removal was interrupted and
// has left one already; and a removal adds nothing.
func recordBeforeRemoval(v *verdict) string {
	r := v.p.Record
	if r == nil {
		if v.p.Change.Op == agent.RemoveRow {
			return "there is no record"
		}
		return ""
	}
	switch {
	case v.o.Row != nil && r.Record != *v.o.Row:
		return "the record is not the row"
	case r.ID != self || !r.At.Equal(v.o.Now.Wall) || r.Evidence == "":
		return "the record lacks id, time or evidence"
	case !v.p.Change.Durable:
		return "it is not durable"
	case v.p.Change.Unbury:
		return "the record is dropped at once"
	case (v.p.Deed == nil) != interruptedRemoval(v.o, r.Reason) || v.p.Deed != nil && v.p.Deed.Reason != r.Reason:
		return "it is not told, or told twice"
	case v.next.Row != nil:
		return "the row stays"
	}
	return ""
}

// changeMatchesActions: the index is written exactly when an action says so,
// against the row that was observed; a difference differs; a namespace is left
// once.
func changeMatchesActions(v *verdict) string {
	c := &v.p.Change
	if c.Expected != v.o.Row || c.ID != self || c.At != v.o.Now {
		return "it does not name what was observed"
	}
	var op agent.RowOp
	for i := range v.p.Actions {
		a := &v.p.Actions[i]
		switch a.Type {
		case plan.InsertRow:
			op = agent.InsertRow
		case plan.RelocateRow:
			op = agent.RelocateRow
		case plan.UpdateRow, plan.MarkActive, plan.MarkUnreachable:
			op = agent.UpdateRow
		case plan.RemoveRow:
			op = agent.RemoveRow
		case plan.EnsureEndpoint, plan.RemoveEndpoint, plan.MoveMail, plan.EnsureRules, plan.RemoveRules:
		}
		for _, d := range a.Differences {
			if d.From == d.To {
				return d.Field + " does not differ"
			}
		}
	}
	if c.Op != op {
		return "row and actions disagree"
	}
	if op == agent.UpdateRow && *c.Row == *v.o.Row {
		return "a row is written that did not change"
	}
	for i, ns := range c.Left {
		if slices.Contains(c.Left[:i], ns) {
			return ns + " is left twice"
		}
	}
	return ""
}

// reasonIsKnown: the reason of the plan, of its events, problems and hold is
// one of the vocabulary; where something is not in sync it has a message.
func reasonIsKnown(v *verdict) string {
	known := func(r agent.Reason) bool { return knownReasons[r] }
	p := &v.p
	if !known(p.Reason) || p.Hold != nil && !known(p.Hold.Reason) || p.Deed != nil && !known(p.Deed.Reason) {
		return string(p.Reason)
	}
	for i := range p.Change.Events {
		if !known(p.Change.Events[i].Reason) {
			return string(p.Change.Events[i].Reason)
		}
	}
	for i := range p.Change.Problems {
		if !known(p.Change.Problems[i].Reason) || p.Change.Problems[i].Message == "" {
			return string(p.Change.Problems[i].Reason)
		}
	}
	if (p.Reason == agent.InSync) != (p.Message == "") {
		return "reason " + string(p.Reason) + " with message " + p.Message
	}
	return ""
}

var knownReasons = func() map[agent.Reason]bool {
	m := map[agent.Reason]bool{}
	for _, r := range agent.Reasons() {
		m[r] = true
	}
	return m
}()

// recordedRefusalsSurviveAbsence: while an id has no settled home, that a place
// was refused stays on record as long as it carries the id: it decides who
// inherits.
func recordedRefusalsSurviveAbsence(v *verdict) string {
	if v.next.Row != nil && judge(&v.next) == agent.Present || v.p.Record != nil || v.o.Row != nil && v.o.Home.Denied {
		return ""
	}
	for i := range v.o.Problems {
		q := &v.o.Problems[i]
		if q.Reason != agent.DuplicateID || slices.ContainsFunc(v.next.Problems, func(n agent.Problem) bool {
			return n.Reason == agent.DuplicateID && n.Path == q.Path
		}) {
			continue
		}
		if slices.ContainsFunc(v.o.Claims, func(c plan.Claim) bool {
			return c.Look.Path == q.Path && !c.Denied && c.Place.Problem == nil && c.Look.Class == agent.Present && c.Look.Manifest.ID == self
		}) {
			return q.Path + " is forgotten"
		}
	}
	return ""
}

// everyRefusalIsListed: where an id has a home, or can have none, each other
// place that carries it is a listed problem: a duplicate, or invalid where its
// namespace is not its to use. An alias of the home is no problem.
func everyRefusalIsListed(v *verdict) string {
	if v.p.Record != nil || v.p.NeedSweep || v.p.Retry || v.o.Twin != "" || v.o.Row != nil && v.o.Home.Denied {
		return ""
	}
	for i := range v.next.Claims {
		c := &v.next.Claims[i]
		if c.Denied || c.Look.Class != agent.Present || c.Look.Manifest.ID != self {
			continue
		}
		if v.next.Row != nil && c.Look.Dir == v.next.Home.Look.Dir {
			if slices.ContainsFunc(v.next.Problems, func(p agent.Problem) bool { return p.Path == c.Look.Path }) {
				return "an alias is a problem"
			}
			continue
		}
		want := agent.DuplicateID
		if c.Place.Problem != nil {
			want = agent.ManifestInvalid
		}
		if !slices.ContainsFunc(v.next.Problems, func(p agent.Problem) bool { return p.Path == c.Look.Path && p.Reason == want }) {
			return c.Look.Path + " is not listed"
		}
	}
	return ""
}

// everyChangeIsTold: whoever acts, and whoever begins or ends an absence, leaves
// exactly one event of it; who does neither leaves none but that of a problem.
// Whom it displaces has one of its own, and so has an unregistration that is
// void. A removal that was interrupted is told already.
func everyChangeIsTold(v *verdict) string {
	began := missingSince(v.o.State).IsZero() && !missingSince(v.next.State).IsZero()
	returned := !missingSince(v.o.State).IsZero() && missingSince(v.next.State).IsZero() && v.next.Row != nil
	told := 0
	var whose []agent.ID
	if v.p.Deed != nil {
		told++
	}
	for i := range v.p.Change.Events {
		e := &v.p.Change.Events[i]
		if e.ID != v.o.ID {
			whose = append(whose, e.ID)
			continue
		}
		if e.Reason == agent.Conflict || holdBegins(v, e) { // VoidRecordsGo
			continue
		}
		if !slices.ContainsFunc(v.p.Change.Problems, func(p agent.Problem) bool { return p.Reason == e.Reason && p.Path == e.Path }) ||
			e.Reason == agent.EndpointLeaked && v.p.Starts {
			told++
		}
	}
	switch need := began || returned || len(v.p.Actions) > 0 || v.p.Change.Unbury && stopped(v); {
	case (v.p.Change.Displaces != "") != (len(whose) == 1) || len(whose) == 1 && whose[0] != v.p.Change.Displaces:
		return "another one is told of"
	case v.p.Record != nil && interruptedRemoval(v.o, v.p.Record.Reason):
		return "" // RecordBeforeRemoval
	case need && told == 0:
		return "no event tells of it"
	case !need && v.p.Record == nil && told > 0:
		return "an event tells of nothing"
	case told > 1 && !(v.p.Starts && v.p.Record != nil):
		return "two events tell of it"
	}
	return ""
}

// holdBegins reports whether an event tells of a mass hold that has just taken
// over, or keeps a clock that begins anew, which may be beside anything else.
func holdBegins(v *verdict, e *agent.Event) bool {
	held := v.o.State != nil && v.next.State != nil && v.o.State.Held && v.o.State.Clock == v.next.State.Clock
	return e.Reason == agent.MassMissing && !held && v.next.State != nil && v.next.State.Held
}

// orderOfClaimsIsNoMatter: who gets the id does not depend on the order in which
// the places were seen.
func orderOfClaimsIsNoMatter(v *verdict) string {
	if len(v.o.Claims) < 2 {
		return ""
	}
	turned := *v.o
	turned.Claims = slices.Clone(v.o.Claims)
	slices.Reverse(turned.Claims)
	if p := plan.Compute(turned, v.policy); !sameRecord(p.Change.Row, v.p.Change.Row) || !sameState(p.Change.State, v.p.Change.State) {
		return "the other way round:\n" + digest(p)
	}
	return ""
}

// leftNamespacesAreRecorded: a namespace that a row, or an address, leaves is
// recorded, whether the relay answers or not, so that its rules can go.
func leftNamespacesAreRecorded(v *verdict) string {
	left := func(ns string) bool { return slices.Contains(v.p.Change.Left, ns) }
	if before, after := v.o.Row, v.next.Row; before != nil {
		if (after == nil || after.Namespace() != before.Namespace() || before.System() && !after.System()) && !left(before.Namespace()) {
			return before.Namespace()
		}
	}
	for _, e := range v.o.Relay.Endpoints {
		ns, _, _ := agent.ParseSubject(string(e.Subject))
		there := slices.ContainsFunc(v.next.Relay.Endpoints, func(n agent.Endpoint) bool { return n.Subject == e.Subject })
		if !there && !left(ns) {
			return ns
		}
	}
	return ""
}

// adopts reports whether an operator made a place the home of the id that
// carries it and may have it.
func adopts(o *plan.Observation) bool {
	if o.Order.Reason != agent.Relocated || o.Row == nil && o.Twin != "" || o.Row != nil && o.Home.Denied {
		return false
	}
	return orderedHoldsUp(o)
}

// orderedHoldsUp reports whether the place that an order names carries the id
// and may have it.
func orderedHoldsUp(o *plan.Observation) bool {
	return slices.ContainsFunc(o.Claims, func(c plan.Claim) bool {
		return c.Look.Path == o.Order.Path && !c.Denied && c.Place.Problem == nil &&
			c.Look.Class == agent.Present && c.Look.Manifest.ID == self
	})
}

// departs reports whether an unregistration is on record beside the row and its
// manifest is proven gone from everywhere.
func departs(v *verdict) bool {
	o := v.o
	return o.Row != nil && o.Tombstone != nil && o.Tombstone.Reason == agent.Unregistered && !o.Home.Denied && !o.IndexLost &&
		v.evidence.Absent() && v.evidence != agent.VolumeGone && !claimedSomewhere(o)
}

// interruptedRemoval reports whether a removal of this kind is in the history
// already: its record has evidence and is not older than the absence.
func interruptedRemoval(o *plan.Observation, r agent.Reason) bool {
	t := o.Tombstone
	if t == nil || t.Reason != r || t.Evidence == "" {
		return false
	}
	since := missingSince(o.State)
	return r != agent.Removed || !since.IsZero() && !t.At.Before(since)
}

// stopped reports whether a removal of a row that was interrupted is not to go on:
// the end of the absence has not come any more (GraceBounds), and that is no doubt.
func stopped(v *verdict) bool {
	overdue := v.p.Record != nil || !v.p.RemoveAt.IsZero() && !v.p.RemoveAt.After(v.o.Now.Wall)
	return v.o.Row != nil && v.evidence.Absent() && interruptedRemoval(v.o, agent.Removed) && !overdue && (!claimedSomewhere(v.o) || carried(v.o))
}

// orderedPlaceOrNothing: a place that is adopted is where the row ends. An order
// about a place that does not hold up changes nothing but words.
func orderedPlaceOrNothing(v *verdict) string {
	switch {
	case v.o.Order == (plan.Order{}):
		return ""
	case adopts(v.o):
		if v.next.Row == nil || v.next.Row.Path != v.o.Order.Path {
			return "it is not at " + v.o.Order.Path
		}
		return ""
	case orderedHoldsUp(v.o):
		return ""
	}
	alone := *v.o
	alone.Order = plan.Order{}
	p := plan.Compute(alone, v.policy)
	a, b := &p.Change, &v.p.Change
	if a.Op != b.Op || a.Displaces != b.Displaces || !sameRecord(a.Row, b.Row) || !sameState(a.State, b.State) ||
		!slices.EqualFunc(p.Actions, v.p.Actions, sameAction) || (p.Record == nil) != (v.p.Record == nil) {
		return "without the order:\n" + digest(p)
	}
	return ""
}

// unregisteredOnlyByRecord: an unregistration is carried out, at once and with a
// last look, where it is on record, its manifest is proven gone from everywhere
// and the relay answers; nowhere else. Where the relay does not answer it is
// tried again.
func unregisteredOnlyByRecord(v *verdict) string {
	removed := v.p.Record != nil && v.p.Record.Reason == agent.Unregistered
	switch due := departs(v) && !adopts(v.o); {
	case !due && removed:
		return "it is not to go"
	case due && v.o.Relay.Down != "":
		if removed || !v.p.Retry || v.next.Row.Status != keeps(v, "status", agent.Unreachable) {
			return "while the relay is down"
		}
	case due && (!removed || !v.p.Confirm || v.p.Hold != nil || v.next.Row != nil):
		return "it stays"
	}
	return ""
}

// voidRecordsGo: a tombstone beside a row is dropped where the manifest is at
// home; one of an unregistration, and with an event, where the index was lost
// and the manifest is not there; one of a removal that was interrupted where the
// end of the absence has not come any more. No other.
func voidRecordsGo(v *verdict) string {
	o, c := v.o, &v.p.Change
	told := slices.ContainsFunc(c.Events, func(e agent.Event) bool { return e.Reason == agent.Conflict })
	beside := o.Row != nil && o.Tombstone != nil && !o.Home.Denied && !adopts(o)
	lost := beside && o.IndexLost && o.Tombstone.Reason == agent.Unregistered && v.evidence != agent.Present
	void := beside && c.Op != agent.RelocateRow && stopped(v)
	switch {
	case told != lost:
		return "it is told, or it is not"
	case v.p.Record == nil && c.Unbury != (lost || void || beside && v.evidence == agent.Present):
		return "it is dropped, or it stays"
	}
	return ""
}

// contestedIsLeftAlone: nothing writes a value that another writer keeps putting
// back into a row that stays where it is, but everything else; as long as it
// differs there is one problem about it, at the row's path, and it goes when
// nothing differs any more.
func contestedIsLeftAlone(v *verdict) string {
	before, after := v.o.Row, v.next.Row
	if before == nil || after == nil || after.Path != before.Path || v.o.Home.Denied {
		return ""
	}
	wanted := wantedRow(v)
	if wanted == nil {
		return ""
	}
	differs := false
	leftAlone := func(field, was, is, want string) string {
		if !insisted(v, field, want) {
			return ""
		}
		differs = differs || was != want
		if is != was {
			return field + " was set to " + is
		}
		return ""
	}
	for i := range agent.FieldTable {
		if !v.o.Written.Has(i) {
			continue
		}
		if why := leftAlone(agent.FieldTable[i].Name, before.Fields[i].String(), after.Fields[i].String(), wanted.Fields[i].String()); why != "" {
			return why
		}
	}
	for _, f := range []struct{ name, was, is, want string }{
		{"status", before.Status, after.Status, wanted.Status},
		{"scanRoot", before.ScanRoot, after.ScanRoot, wanted.ScanRoot},
	} {
		if why := leftAlone(f.name, f.was, f.is, f.want); why != "" {
			return why
		}
	}
	n := 0
	for _, p := range v.next.Problems {
		if p.Reason == agent.Contested {
			n++
			if p.Path != before.Path || p.ID != v.o.ID {
				return "the problem is about something else"
			}
		}
	}
	if differs != (n == 1) || n > 1 {
		return "it is not listed, or listed without need"
	}
	if differs && len(v.p.Actions) == 0 && v.evidence == agent.Present && v.p.Reason != agent.Contested &&
		v.p.Reason != agent.RelayDegraded && v.p.Reason != agent.Resurrected {
		return "it is called " + string(v.p.Reason)
	}
	return ""
}

// wantedRow is the row that would be, did nobody else write; nil where nothing
// is corrected.
func wantedRow(v *verdict) *agent.Record {
	row := *v.o.Row
	switch {
	case v.evidence.Absent():
		row.Status = agent.Unreachable
		return &row
	case v.evidence != agent.Present:
		return nil
	}
	place := v.o.Home.Place
	row.Status = agent.Active
	row.Fields = agent.Desired(v.o.Home.Look.Manifest, agent.Place{Namespace: place.Namespace, Managed: place.Managed})
	if row.ScanRoot != "" && !agent.Within(row.Path, row.ScanRoot) {
		row.ScanRoot = place.ScanRoot
	}
	return &row
}

// heldByTheHold: with an orphan is remembered that a mass hold has held it since
// its clock began, and nothing else.
func heldByTheHold(v *verdict) string {
	before, after := v.o.State, v.next.State
	if missingSince(after).IsZero() {
		if after != nil && after.Held {
			return "it is held without being missing"
		}
		return ""
	}
	want := !missingSince(before).IsZero() && before.Clock == after.Clock && before.Held
	if v.o.Row != nil && v.o.Home.Denied {
		return ""
	}
	if m := v.o.Mass; m != nil && m.Until.After(v.o.Now.Wall) && v.evidence.Absent() && !claimedSomewhere(v.o) && !departs(v) {
		_, ends := graceOf(v)
		want = want || ends
	}
	if after.Held != want {
		return "it is held, or it is not"
	}
	return ""
}

// pausedDoesNothing: what is switched off stays as it is and asks for nothing, but
// that the volume of an absence on record is away, or a mass disappearance holds it,
// is remembered with it; an order is planned as if it were on.
func pausedDoesNothing(v *verdict) string {
	if v.o.Order != (plan.Order{}) {
		awake := *v.o
		awake.Paused = false
		if p := plan.Compute(awake, v.policy); !samePlan(&p, &v.p) {
			return "without the pause:\n" + digest(p)
		}
		return ""
	}
	p := v.p
	if was := v.o.State; was != nil && was.Missing() && p.Change.SetState {
		if p.Change.State == nil {
			return "it forgets the absence"
		}
		seen := *p.Change.State
		if seen.Evidence != was.Evidence && (seen.Evidence != agent.VolumeGone || v.evidence != agent.VolumeGone) ||
			seen.Held != was.Held && (was.Held || v.o.Mass == nil) {
			return "it remembers what is not so"
		}
		if seen.Evidence, seen.Held = was.Evidence, was.Held; seen != *was {
			return "it remembers something else than what ends the clock"
		}
		p.Change.SetState, p.Change.State = false, nil
	}
	if !quiet(&p) || p.Reason != agent.Paused || p.Change.Expected != v.o.Row || p.RequeueAfter != 0 || !p.RemoveAt.IsZero() ||
		p.Hold != nil || p.Held || p.NeedSweep || p.SecondLook || p.Retry {
		return "it does something"
	}
	return ""
}
