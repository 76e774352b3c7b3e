package sim

import (
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// watch knows what is true in the world and what a process was shown of it, and
// objects where an invariant of the failure model does not hold. It has no part
// in what the controller knows.
type watch struct {
	*world
	// absent: since when what is recorded as an id's home does not hold it.
	absent map[agent.ID]absence
	// stepped is by how much the wall clock was set, and when; bootedAt is when the
	// machine was last started anew.
	stepped  []step
	bootedAt time.Duration
	// seenOn is the mount under which a process was last shown an id at a path.
	seenOn map[place]agent.Mount
	// away: when a process was last shown that the volume of an id's home is not
	// there.
	away map[agent.ID]time.Duration
	// ended are the records that were kept for as long as they had to be.
	ended map[agent.ID]ended
	// probes are the last look at each path.
	probes map[string]probe
	// looks at an absence by this process, since its settle window opened.
	looks map[agent.ID]looks
	// listing of this process's last sweep since then, and how many rows each
	// root had at it; nil: none.
	listing *agent.Listing
	rooted  map[string]int
	// lostAt is when the index was last lost or replaced.
	lostAt time.Duration
	// ordered are the ids that an operator unregistered.
	ordered map[agent.ID]bool
	order   *order
	// found are the manifests as the last order found them, and as others have left
	// them since.
	found map[string]*file
	// acts are the calls for an effect since actsFrom, for a minute at most.
	acts     int
	actsFrom time.Duration
	// wanted are the letters that must be somewhere, by content: whose they are.
	wanted map[string]agent.ID
	// systems are the namespaces that a system agent ever had.
	systems map[string]bool
	// vandal: somebody else took rules away that were not put back since.
	vandal   bool
	vandalAt time.Duration
	// doubled: a DorkOS has kept old addresses that new ones stand beside.
	doubled bool
	// untraced are namespaces of which somebody else took away what would tell
	// the controller that it leaves them.
	untraced map[string]bool
	// massed are the roots of which much was missing after the last step.
	massed map[string]bool
}

type absence struct {
	path  string
	since time.Duration
}

type place struct {
	id   agent.ID
	path string
}

type probe struct {
	at    time.Duration
	class agent.Evidence
	// id that was shown, and the one that is there whatever was shown.
	id, holds agent.ID
	mount     agent.Mount
}

// ended record, and when.
type ended struct {
	at    time.Duration
	grave agent.Tombstone
}

type looks struct {
	n     int
	first time.Time
}

// step of the wall clock.
type step struct{ at, by time.Duration }

// order is an operator's, under way.
type order struct {
	word string
	// paths that it may write at.
	paths []string
	// id whose home it may write at, wherever that is by then: who names an agent
	// does not name a place, and a process that was just started finds out that
	// the agent has moved before it does what was ordered.
	id agent.ID
	// home of id when the order was given, which an index that was exchanged since
	// may not know.
	home string
}

func newWatch(w *world) *watch {
	return &watch{
		world: w, absent: map[agent.ID]absence{}, seenOn: map[place]agent.Mount{}, away: map[agent.ID]time.Duration{},
		probes: map[string]probe{}, looks: map[agent.ID]looks{}, ordered: map[agent.ID]bool{},
		wanted: map[string]agent.ID{}, systems: map[string]bool{}, untraced: map[string]bool{},
		massed: map[string]bool{}, found: map[string]*file{}, ended: map[agent.ID]ended{},
	}
}

// began: a new process knows nothing.
func (w *watch) began() { w.unsettled() }

// unsettled: absences have to be seen anew.
func (w *watch) unsettled() {
	clear(w.looks)
	w.listing = nil
}

// jumped: a clock did what no time daemon does.
func (w *watch) jumped(by time.Duration) {
	if by.Abs() > 2*time.Second {
		w.unsettled()
	}
}

// lostIndex: what was remembered is gone, or is of another time.
func (w *watch) lostIndex() {
	clear(w.seenOn)
	clear(w.away)
	clear(w.ordered)
	w.lostAt = w.machine.passed()
	w.looked()
}

// untrace: what a row was going to tell of its namespace is not told.
func (w *watch) untrace(db *database) {
	for id := range db.rows {
		row := db.rows[id]
		w.untraced[row.Namespace()] = true
	}
	for ns := range db.left {
		w.untraced[ns] = true
	}
}

// looked brings what is true up to date. It is called whenever the world or the
// recorded homes changed.
func (w *watch) looked() {
	now := w.machine.passed()
	for id := range w.recorded() {
		p := w.db.at(id)
		if p != "" && w.disk.holds(p) == id || p == "" && w.somewhere(id) {
			// What came back and went again before anybody looked was away all along.
			if st := w.db.states[id]; !st.Missing() {
				delete(w.absent, id)
			}
		} else if a, ok := w.absent[id]; !ok || p != "" && a.path != p {
			w.absent[id] = absence{p, now}
		}
		if r, ok := w.db.rows[id]; ok && r.System() {
			w.systems[r.Namespace()] = true
		}
	}
}

// recorded are the ids that the index or the relay knows.
func (w *watch) recorded() map[agent.ID]bool {
	ids := map[agent.ID]bool{}
	for id := range w.db.rows {
		ids[id] = true
	}
	for id := range w.db.graves {
		ids[id] = true
	}
	for _, s := range w.addresses() {
		_, id, _ := agent.ParseSubject(string(s))
		ids[id] = true
	}
	return ids
}

// somewhere reports whether a valid manifest with the id lies where a sweep comes
// by and that is not denied.
func (w *watch) somewhere(id agent.ID) bool {
	return slices.ContainsFunc(w.disk.projects(), func(p string) bool {
		return w.walked(p) && !w.denied(p) && w.disk.holds(p) == id
	})
}

// refusedAt reports whether the manifest at a path names a namespace that is a
// system agent's: whoever is at home there stays as it was, its volume included.
func (w *watch) refusedAt(path string) bool {
	n := w.disk.dir(path)
	if n == nil || n.file == nil || n.file.manifest.Namespace == "" {
		return false
	}
	ns, managed, ok := w.locate(path)
	return !ok || !managed && w.reserved()[ns]
}

// probed takes down what a process was shown.
func (w *watch) probed(l *agent.Look) {
	p := probe{at: w.machine.passed(), class: l.Class, holds: w.disk.holds(l.Path), mount: l.Mount}
	if l.Class == agent.Present {
		p.id = l.Manifest.ID
		if !w.refusedAt(l.Path) {
			w.seenOn[place{p.id, l.Path}] = l.Mount
		}
	}
	w.probes[l.Path] = p
	for id := range w.absent {
		if w.db.at(id) != l.Path {
			continue
		}
		if !p.absentFor(id) {
			delete(w.looks, id)
			continue
		}
		k := w.looks[id]
		if k.n++; k.n == 1 {
			k.first = time.Now()
		}
		w.looks[id] = k
		// The look may have been for whoever displaced it.
		_, has := w.db.rows[id]
		if on := w.seenOn[place{id, l.Path}]; has && !on.IsZero() && on != l.Mount {
			w.away[id] = p.at
		}
	}
}

// absentFor reports whether the look was an absence of the id.
func (p *probe) absentFor(id agent.ID) bool {
	return p.class == agent.FileMissing || p.class == agent.DirMissing || p.class == agent.Present && p.id != id
}

// swept takes down the listing that a process works on.
func (w *watch) swept(l *agent.Listing) {
	w.listing = l
	w.rooted = map[string]int{}
	for id := range w.db.rows {
		w.rooted[w.db.rows[id].ScanRoot]++
	}
}

// undetectable is by how much the wall clock ran ahead of time since a time, in
// a way that cannot be told: only within one boot is a step known from time.
func (w *watch) undetectable(since time.Duration) (d time.Duration) {
	if w.bootedAt < since {
		return 0
	}
	for _, s := range w.stepped {
		if s.at >= since && s.by > 0 {
			d += s.by
		}
	}
	return d
}

// wrote: a manifest changes only where an order names it.
func (w *watch) wrote(call, p string) {
	o := w.order
	if o == nil || !slices.Contains(o.paths, p) && (o.id == "" || w.db.at(o.id) != p && !(w.reindexed() && o.home == p)) {
		w.fail("S5", "%s at %s, which nobody ordered", call, p)
	}
	w.looked()
}

// othersWrote takes down what somebody did to the manifests between two calls: it
// is not an order's doing.
func (w *watch) othersWrote(was map[string]*file) {
	now := w.disk.manifests()
	for at, f := range was {
		if now[at] != f {
			delete(w.found, at)
		}
	}
	for at, f := range now {
		if was[at] != f {
			w.found[at] = f
		}
	}
}

// busiest is how many calls for an effect a minute may see, those that fail
// included: a few for every agent, order and fault, and nothing like a loop that
// does not rest.
const busiest = 1000

// hurries counts the calls of a minute. A process that is caught is stopped, or
// the hours that are to pass would take hours.
func (w *watch) hurries(call, about string) {
	if now := w.machine.passed(); now-w.actsFrom > time.Minute {
		w.acts, w.actsFrom = 0, now
	}
	if w.acts++; w.acts > busiest {
		w.fail("busy", "%d calls within a minute, the last is %s %s", w.acts, call, about)
		w.life.dead = true
	}
}
