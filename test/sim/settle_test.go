package sim

import (
	"cmp"
	"maps"
	"slices"
	"testing/synctest"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// points are where volumes belong when everything is in its place.
var points = map[string]string{"/r/b": "stick1", "/r/a/usb": "usb1"}

// settle ends all faults, gives the controller time, and checks liveness: what
// is on the disk is in the index and in the relay, and nothing else.
func (w *world) settle() {
	w.mend()
	w.start()
	w.pass(2 * w.options.ResyncInterval)
	w.resume()
	w.order("sync", []string{"full"})
	w.pass(2*w.options.ResyncInterval + 10*time.Minute)
	w.locked(func() { w.converged(false) })
	w.pass(w.longest())
	w.locked(func() { w.converged(true) })
	if w.failed == nil {
		w.quiet()
	}
}

func (w *world) locked(f func()) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.check()
	f()
}

// mend puts everything right.
func (w *world) mend() {
	w.mu.Lock()
	w.faults = faults{}
	clear(w.disk.errnos)
	clear(w.disk.hangs)
	w.busDown = false
	w.breakRules(false)
	w.runDorkOS(false)
	for point, name := range points {
		if w.disk.volumes[name] != nil {
			w.disk.unplug(point, false)
			w.disk.plug(point, name)
		}
	}
	w.disk.version++
	w.watch.looked()
	w.mu.Unlock()
	w.revive()
}

// resume switches converging on for everybody.
func (w *world) resume() {
	w.mu.Lock()
	var paused []agent.ID
	for _, id := range slices.Sorted(maps.Keys(w.db.states)) {
		if w.db.states[id].Paused {
			paused = append(paused, id)
		}
	}
	w.mu.Unlock()
	for _, id := range paused {
		w.order("resume", []string{string(id)})
	}
	w.order("resume", nil)
}

// longest is when the last hold and the last grace are over.
func (w *world) longest() time.Duration {
	hold := w.options.MassMissingHold
	if hold == 0 {
		hold = 3 * w.options.OrphanGrace
	}
	return w.options.UnmountedGrace + hold + 2*w.options.OrphanGrace + 4*w.options.ResyncInterval + time.Hour
}

// converged compares the index and the relay with the disk; final: when every
// grace is over.
func (w *world) converged(final bool) {
	homes := w.homes()
	for _, id := range slices.Sorted(maps.Keys(homes)) {
		if _, ok := w.db.rows[id]; !ok && !w.twinned(id) && !w.refusedEverywhere(id, homes[id]) {
			w.fail("La", "%s lies in %v and has no row", id, homes[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.db.rows)) {
		row := w.db.rows[id]
		w.follows(&row)
		if final && !w.mayStay(&row) {
			w.fail("Ld", "the row of %s at %s is left, missing since %v", id, row.Path, w.db.states[id].MissingSince)
		}
	}
	w.answered(final)
}

// homes are the places that an id may have: mounted, valid, not denied, with a
// namespace that may be used.
func (w *world) homes() map[agent.ID][]string {
	homes := map[agent.ID][]string{}
	reserved := w.reserved()
	for _, p := range w.disk.projects() {
		id := w.disk.holds(p)
		if id == "" || w.watch.denied(p) || !w.walked(p) {
			continue
		}
		if ns, managed, ok := w.locate(p); ok && (managed || !reserved[ns]) {
			homes[id] = append(homes[id], p)
		}
	}
	return homes
}

// walked reports whether a sweep comes by a path.
func (w *world) walked(p string) bool {
	return slices.ContainsFunc(append([]string{managedHome}, scanRoots...), func(r string) bool { return agent.Within(p, r) })
}

// locate is the namespace of the manifest at a path.
func (w *world) locate(p string) (ns string, managed, ok bool) {
	var recorded []string
	for id := range w.db.rows {
		if r := w.db.rows[id].ScanRoot; r != "" {
			recorded = append(recorded, r)
		}
	}
	root := agent.EffectiveRoot(p, managedHome, scanRoots, recorded)
	ns, ok = agent.ResolveNamespace(w.disk.dir(p).file.manifest, p, root)
	return ns, p != managedHome && agent.Within(p, managedHome), ok
}

// reserved are the namespaces of system agents.
func (w *world) reserved() map[string]bool {
	reserved := map[string]bool{}
	for _, p := range w.disk.projects() {
		if f := w.disk.dir(p).file; f.problem == nil && f.manifest.IsSystem {
			if ns, managed, ok := w.locate(p); ok && managed {
				reserved[ns] = true
			}
		}
	}
	for id := range w.db.rows {
		if r := w.db.rows[id]; r.System() && agent.Within(r.Path, managedHome) {
			reserved[r.Namespace()] = true
		}
	}
	return reserved
}

// twinned reports whether another id that differs in letter case only has a row
// or an address.
func (w *world) twinned(id agent.ID) bool {
	for other := range w.db.rows {
		if other != id && other.Fold() == id.Fold() {
			return true
		}
	}
	return slices.ContainsFunc(w.addresses(), func(s agent.Subject) bool {
		_, other, _ := agent.ParseSubject(string(s))
		return other != id && other.Fold() == id.Fold()
	})
}

// refusedEverywhere reports whether a displaced id lies in linked worktrees only:
// as long as the directory that was its home is there, an operator decides.
func (w *world) refusedEverywhere(id agent.ID, homes []string) bool {
	was := w.db.at(id)
	return was != "" && w.disk.dir(was) != nil && !slices.ContainsFunc(homes, func(p string) bool { return !w.disk.dir(p).worktree })
}

// follows: a row whose manifest is at home says what it says.
func (w *world) follows(row *agent.Record) {
	if w.disk.holds(row.Path) != row.ID || w.conceded(row.ID) {
		return
	}
	ns, managed, ok := w.locate(row.Path)
	if !ok || !managed && w.reserved()[ns] {
		return
	}
	want := agent.Desired(w.disk.dir(row.Path).file.manifest, agent.Place{Namespace: ns, Managed: managed})
	if d := agent.Diff(&row.Fields, &want, allFields); len(d) > 0 || row.Status != agent.Active {
		w.fail("La", "the row of %s at %s is %s and differs from its manifest: %v", row.ID, row.Path, row.Status, d)
	}
	if st := w.db.states[row.ID]; st.Missing() {
		w.fail("Lc", "%s is back at %s and still counts as missing", row.ID, row.Path)
	}
}

// conceded reports whether another writer was let have its way.
func (w *world) conceded(id agent.ID) bool {
	return slices.ContainsFunc(w.db.problems[id], func(p agent.Problem) bool { return p.Reason == agent.Contested })
}

// mayStay reports whether a row may be there when every grace is over: its
// manifest is at home, or lies there and cannot be understood, or lies
// elsewhere and was refused, or its volume is away.
func (w *world) mayStay(row *agent.Record) bool {
	n := w.disk.dir(row.Path)
	return w.disk.holds(row.Path) == row.ID || n != nil && n.file != nil && n.file.problem != nil || w.visible(row.ID) ||
		w.options.UnmountedGrace == 0 && w.db.states[row.ID].Evidence == agent.VolumeGone
}

// answered: every row has its one address under its rules, and there are no
// others.
func (w *world) answered(final bool) {
	have := map[agent.Subject]bool{}
	for _, s := range w.addresses() {
		have[s] = true
	}
	needed := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(w.db.rows)) {
		row := w.db.rows[id]
		s := row.Subject()
		needed[row.Namespace()] = true
		if _, _, valid := agent.ParseSubject(string(s)); valid && !have[s] {
			w.fail("La", "%s has no address %s", id, s)
		}
		delete(have, s)
	}
	if final {
		w.answeredOnly(have, needed)
	}
}

// staysDisplaced reports whether an id without a row keeps its address: its
// volume is away and the operator said never, nothing can be told of its home,
// or it lies where it was refused. That of a removal that was not finished has its
// home on record.
func (w *world) staysDisplaced(id agent.ID) bool {
	st := w.db.states[id]
	if w.options.UnmountedGrace == 0 && (st.Lost || st.Evidence == agent.VolumeGone) {
		return true
	}
	if w.visible(id) {
		return true
	}
	at := cmp.Or(w.db.at(id), w.db.graves[id].Record.Path)
	if at == "" {
		return false
	}
	n := w.disk.dir(at)
	return n != nil && n.file != nil && n.file.problem != nil
}

// visible reports whether a manifest with the id lies anywhere that is not
// denied.
func (w *world) visible(id agent.ID) bool {
	return slices.ContainsFunc(w.disk.projects(), func(p string) bool {
		return w.disk.holds(p) == id && !w.watch.denied(p)
	})
}

func (w *world) answeredOnly(others map[agent.Subject]bool, needed map[string]bool) {
	for s := range others {
		ns, id, _ := agent.ParseSubject(string(s))
		if w.staysDisplaced(id) {
			needed[ns] = true
			continue
		}
		w.fail("Ld", "the address %s is left", s)
	}
	rules := w.bus.Rules()
	for id := range w.db.rows {
		row := w.db.rows[id]
		ns := row.Namespace()
		for _, r := range agent.BaseRules(ns) {
			if valid, ok := agent.NormalizeNamespace(ns); ok && valid == ns && !slices.Contains(rules, r) {
				w.fail("La", "a rule of %s is not there: %+v", ns, r)
			}
		}
	}
	for _, r := range rules {
		if ns, ours := own(r); ours && !needed[ns] && !w.watch.untraced[ns] {
			w.fail("La", "a rule of %s is left: %+v", ns, r)
		}
	}
	for ns := range w.db.left {
		if !needed[ns] {
			w.fail("La", "namespace %s is still on record as left", ns)
		}
	}
}

// quiet: where nothing changes nothing is written, by a forced sweep either.
func (w *world) quiet() {
	was := maps.Clone(w.writes)
	version := w.disk.version
	w.order("sync", nil)
	w.order("sync", []string{"full"})
	w.pass(2 * w.options.ResyncInterval)
	w.locked(func() {
		if !maps.Equal(was, w.writes) || version != w.disk.version {
			w.fail("quiet", "a sweep over what had not changed wrote: %v became %v", was, w.writes)
		}
	})
}
