package controller

import (
	"slices"
	"sync"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// ledger is how things stand between two sweeps: the last listing, and what was
// done since. Counts, gauges and the holds that depend on many agents are read
// from it.
type ledger struct {
	mu sync.Mutex
	// loaded is the listing of the index that all of this is as of; nil: what was
	// planned since counts too.
	loaded *agent.IndexListing
	// dirty ids differ from what was proven.
	dirty map[agent.ID]difference
	// waiting ids need a listing that is complete.
	waiting map[agent.ID]struct{}
	// failing ids are backing off.
	failing  map[agent.ID]struct{}
	deferred map[agent.ID]struct{}
	problems map[agent.ID][]agent.Problem
	// places are the problems of which no id is known.
	places  []agent.Problem
	orphans map[agent.ID]orphan
	status  map[string]int // rows by status
	left    map[string]struct{}
	// moved directories: the identity that a path had before it vanished.
	directories map[agent.ID]agent.FileID
	// restored ids got their mail back since the last listing of the relay.
	restored map[agent.ID]struct{}
	// strays are addresses that could not be taken back: no listing since shows
	// whether they stand.
	strays   map[agent.ID][]agent.Subject
	contests map[agent.ID]map[string]contest // by field
	// mass holds by root, as last computed.
	mass map[string]*plan.Hold
}

// difference is that an id is not what was proven: since when, and which source
// showed it (file, index or relay; "": none did).
type difference struct {
	since time.Time
	moved string
}

// orphan is an absence as it stands.
type orphan struct {
	root     string
	since    time.Time
	removeAt time.Time
	hold     *plan.Hold
	held     bool
}

func newLedger() *ledger {
	return &ledger{
		dirty:       map[agent.ID]difference{},
		waiting:     map[agent.ID]struct{}{},
		failing:     map[agent.ID]struct{}{},
		deferred:    map[agent.ID]struct{}{},
		problems:    map[agent.ID][]agent.Problem{},
		orphans:     map[agent.ID]orphan{},
		status:      map[string]int{},
		left:        map[string]struct{}{},
		directories: map[agent.ID]agent.FileID{},
		restored:    map[agent.ID]struct{}{},
		strays:      map[agent.ID][]agent.Subject{},
		contests:    map[agent.ID]map[string]contest{},
		mass:        map[string]*plan.Hold{},
	}
}

// mark records ids that differ, and which source showed it ("": none did). What
// the files show goes before the rest: the index follows them.
func (l *ledger) mark(ids []agent.ID, now time.Time, source string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		d, ok := l.dirty[id]
		if !ok {
			d.since = now
		}
		if source == sourceFile || source != "" && d.moved == "" {
			d.moved = source
		}
		l.dirty[id] = d
	}
}

// The sources, as the metrics name who moved.
const (
	sourceFile  = "file"
	sourceIndex = "index"
	sourceRelay = "relay"
)

func (l *ledger) movedBy(id agent.ID) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dirty[id].moved
}

// load takes over what the index says at a sweep. Where nothing was planned since
// the same listing was loaded, it says nothing new.
func (l *ledger) load(s *snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.restored)
	clear(l.strays)
	if l.loaded == s.index {
		return
	}
	l.loaded = s.index // until something is planned
	clear(l.status)
	for i := range s.index.Entries {
		l.status[s.index.Entries[i].Status]++
	}
	clear(l.problems)
	l.places = nil
	for _, p := range s.index.Problems {
		if p.ID == "" {
			l.places = append(l.places, p)
		} else {
			l.problems[p.ID] = append(l.problems[p.ID], p)
		}
	}
	for id, o := range l.orphans {
		if st, ok := s.index.States[id]; !ok || !st.MissingSince.Equal(o.since) {
			delete(l.orphans, id)
		}
	}
	for id, st := range s.index.States {
		if _, ok := l.orphans[id]; ok || st.MissingSince.IsZero() {
			continue
		}
		o := orphan{since: st.MissingSince}
		if e := s.entry(id); e != nil {
			o.root = e.ScanRoot
		}
		l.orphans[id] = o
	}
	for _, ns := range s.index.Left {
		l.left[ns] = struct{}{}
	}
}

// missing lists when each absence in a root began.
func (l *ledger) missing(root string) []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []time.Time
	for _, o := range l.orphans {
		if o.root == root {
			list = append(list, o.since)
		}
	}
	return list
}

// timeAnew makes every orphan due for another look: what its removal waits for was
// computed by a clock that has been set since.
func (l *ledger) timeAnew(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.orphans {
		if _, ok := l.dirty[id]; !ok {
			l.dirty[id] = difference{since: now}
		}
	}
}

// nothingMissing reports whether no agent is looked for: none is an orphan, and
// none waits for a complete listing.
func (l *ledger) nothingMissing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.orphans) == 0 && len(l.waiting) == 0
}

// planned takes over what a plan that was carried out, or that had nothing to
// do, says of its id.
func (l *ledger) planned(p *plan.Plan, before *agent.Record, displaced *agent.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loaded = nil
	if p.Change.SetProblems {
		if len(p.Change.Problems) == 0 {
			delete(l.problems, p.ID)
		} else {
			l.problems[p.ID] = p.Change.Problems
		}
	}
	for _, ns := range p.Change.Left {
		l.left[ns] = struct{}{}
	}
	l.count(p, before, displaced)
	l.absence(p, before)
}

// count keeps the rows by status.
func (l *ledger) count(p *plan.Plan, before *agent.Record, displaced *agent.Entry) {
	if displaced != nil {
		l.status[displaced.Status]--
		if s := p.Change.DisplacedState; s != nil {
			if _, ok := l.orphans[displaced.ID]; !ok {
				l.orphans[displaced.ID] = orphan{since: recorded(s.MissingSince)}
			}
		}
	}
	if p.Change.Op == agent.KeepRow {
		return
	}
	if before != nil {
		l.status[before.Status]--
	}
	if p.Change.Op != agent.RemoveRow {
		l.status[p.Change.Row.Status]++
	}
}

// recorded is a time as the index gives it back.
func recorded(t time.Time) time.Time { return agent.ParseTime(agent.FormatTime(t)) }

// absence keeps the orphans.
func (l *ledger) absence(p *plan.Plan, before *agent.Record) {
	if p.Change.SetState && p.Change.State.Missing() {
		o := l.orphans[p.ID]
		o.since = recorded(p.Change.State.MissingSince)
		if before != nil {
			o.root = before.ScanRoot
		}
		l.orphans[p.ID] = o
	}
	if p.Change.SetState && !p.Change.State.Missing() {
		delete(l.orphans, p.ID)
		delete(l.directories, p.ID)
	}
	if o, ok := l.orphans[p.ID]; ok && p.Absent.Absent() {
		o.removeAt, o.hold, o.held = p.RemoveAt, p.Hold, p.Held
		l.orphans[p.ID] = o
	}
}

// troubled reports whether a problem of the id is known.
func (l *ledger) troubled(id agent.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.problems[id]) > 0
}

// settled ends what was open about an id: it is proven converged, or its state
// is one that only new evidence changes. It says since when it differed.
func (l *ledger) settled(id agent.ID, waits bool) (since time.Time, differed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, differed := l.dirty[id]
	if delete(l.dirty, id); differed && len(l.dirty) == 0 {
		l.dirty = map[agent.ID]difference{} // a map never shrinks
	}
	delete(l.failing, id)
	delete(l.waiting, id)
	if waits {
		l.waiting[id] = struct{}{}
	}
	return d.since, differed
}

// failed records that an id backs off.
func (l *ledger) failed(id agent.ID, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failing[id] = struct{}{}
	if _, ok := l.dirty[id]; !ok {
		l.dirty[id] = difference{since: now}
	}
}

// defer marks whether a step of the id waits for DorkOS.
func (l *ledger) setDeferred(id agent.ID, waits bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if waits {
		l.deferred[id] = struct{}{}
	} else {
		delete(l.deferred, id)
	}
}

// due lists the ids that a sweep has to queue besides what it found: open ones
// that do not back off, those that waited for a listing, deferred steps, and
// addresses without an agent for which no clock runs: they stay for a reason that
// no listing shows the end of, such as what lies at a place that only the record of
// a removal names, or that record itself.
func (l *ledger) due(forced bool) []agent.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	set := map[agent.ID]struct{}{}
	for id := range l.dirty {
		if _, backing := l.failing[id]; !backing || forced {
			set[id] = struct{}{}
		}
	}
	for id := range l.waiting {
		set[id] = struct{}{}
	}
	for id := range l.deferred {
		set[id] = struct{}{}
	}
	for id, problems := range l.problems {
		leaked := slices.ContainsFunc(problems, func(p agent.Problem) bool { return p.Reason == agent.EndpointLeaked })
		if _, timed := l.orphans[id]; leaked && !timed {
			set[id] = struct{}{}
		}
	}
	return sortedIDs(set)
}

func (l *ledger) leftNamespaces() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]string, 0, len(l.left))
	for ns := range l.left {
		list = append(list, ns)
	}
	slices.Sort(list)
	return list
}

// leave records namespaces whose rules may have to go.
func (l *ledger) leave(namespaces []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ns := range namespaces {
		l.left[ns] = struct{}{}
	}
}

func (l *ledger) forgetLeft(settled []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ns := range settled {
		delete(l.left, ns)
	}
}

func (l *ledger) setRestored(id agent.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.restored[id] = struct{}{}
}

func (l *ledger) stray(id agent.ID, s agent.Subject) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.strays[id] = append(l.strays[id], s)
}

func (l *ledger) straysOf(id agent.ID) []agent.Subject {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.strays[id])
}

func (l *ledger) isRestored(id agent.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.restored[id]
	return ok
}
