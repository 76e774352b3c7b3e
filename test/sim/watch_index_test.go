package sim

import (
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// commits judges a change that is about to land; the database is as it was.
func (w *watch) commits(ch *agent.Change) {
	w.pausedStays(ch)
	if w.order != nil || w.reindexed() {
		return // judged by what comes of it
	}
	row, has := w.db.rows[ch.ID]
	if ch.Op == agent.RemoveRow && has || ch.Bury != nil && ch.Bury.Reason == agent.Removed {
		w.removes(ch, has)
	}
	switch ch.Op {
	case agent.InsertRow:
		w.arrives(ch)
	case agent.RelocateRow:
		w.arrives(ch)
		w.leaves(ch.ID, row.Path, ch.Row.Path)
	case agent.UpdateRow:
		w.updates(ch, &row)
	case agent.KeepRow, agent.RemoveRow:
	}
	if ch.SetState {
		w.remembers(ch, has)
	}
}

// fresh is the look at a path that was taken at this instant.
func (w *watch) fresh(path string) (probe, bool) {
	p, ok := w.probes[path]
	return p, ok && p.at == w.machine.passed()
}

// arrives: a row comes to a place only where its manifest was seen just now.
func (w *watch) arrives(ch *agent.Change) {
	p, ok := w.fresh(ch.Row.Path)
	if !ok || p.class != agent.Present || p.id != ch.ID {
		w.fail("S8", "%s comes to %s, which does not carry it: %+v", ch.ID, ch.Row.Path, p)
	}
	if w.denied(ch.Row.Path) {
		w.fail("S6", "%s comes to %s, which is denied", ch.ID, ch.Row.Path)
	}
}

// leaves: an id changes its directory only when the old one was proven to be
// without it, on the volume where it was.
func (w *watch) leaves(id agent.ID, from, to string) {
	if d := w.disk.id(from); !d.IsZero() && d == w.disk.id(to) {
		return
	}
	p, ok := w.fresh(from)
	switch on := w.seenOn[place{id, from}]; {
	case !ok || !p.absentFor(id) || p.holds == id:
		w.fail("S8", "%s leaves %s for %s, which was not proven: %+v", id, from, to, p)
	case !on.IsZero() && on != p.mount:
		w.fail("S8", "%s leaves %s for %s while its volume is away", id, from, to)
	case w.listing == nil || !w.listing.CompleteFor(from) || !w.listing.CompleteFor(to):
		w.fail("S8", "%s leaves %s for %s on an incomplete listing", id, from, to)
	}
}

// updates: a row follows its manifest when it was seen, and is unreachable when
// it was seen to be gone.
func (w *watch) updates(ch *agent.Change, row *agent.Record) {
	p, ok := w.fresh(row.Path)
	switch {
	case ch.Row.Path != row.Path:
		w.fail("S8", "%s changes its path from %s to %s in an update", ch.ID, row.Path, ch.Row.Path)
	case ch.Row.Status == agent.Unreachable && row.Status != agent.Unreachable:
		if !ok || !p.absentFor(ch.ID) || p.holds == ch.ID {
			w.fail("S4", "%s becomes unreachable, which %s does not say: %+v", ch.ID, row.Path, p)
		}
	case !ok || p.class != agent.Present || p.id != ch.ID:
		w.fail("S4", "the row of %s is updated without a look at its manifest: %+v", ch.ID, p)
	}
}

// remembers: missing_since is written once per absence, and only an absence
// writes it; only a manifest that is there clears it.
func (w *watch) remembers(ch *agent.Change, has bool) {
	was, path := w.db.states[ch.ID], w.db.at(ch.ID)
	if ch.Row != nil {
		path = ch.Row.Path
	}
	p, ok := w.fresh(path)
	switch {
	case was.Missing() && ch.State.Missing():
		if !stored(ch.State.MissingSince).Equal(was.MissingSince) {
			w.fail("S3", "missing_since of %s moves from %v to %v", ch.ID, was.MissingSince, ch.State.MissingSince)
		}
		if stored(ch.State.Clock.Wall).Before(was.Clock.Wall) && !was.Clock.Wall.After(ch.At.Wall) {
			w.fail("S3", "the clock of %s goes back from %v to %v", ch.ID, was.Clock.Wall, ch.State.Clock.Wall)
		}
	case was.Missing() && has && ch.Op != agent.RemoveRow:
		if !ok || p.class != agent.Present || p.id != ch.ID {
			w.fail("S3", "the absence of %s ends without its manifest at %s: %+v", ch.ID, path, p)
		}
	case ch.State.Missing() && path != "":
		if !ok || !p.absentFor(ch.ID) || p.holds == ch.ID {
			w.fail("S4", "an absence of %s begins that %s does not say: %+v", ch.ID, path, p)
		}
	}
}

// pausedStays: what an operator has switched off is left alone.
func (w *watch) pausedStays(ch *agent.Change) {
	if w.order != nil && ch.Op == agent.InsertRow && w.db.graves[ch.ID].Reason == agent.Displaced {
		return // an order that displaced it is taken back
	}
	if w.isPaused(ch.ID) && (ch.Op != agent.KeepRow || ch.Bury != nil || len(ch.Left) > 0) {
		w.fail("paused", "%s is changed: operation %d", ch.ID, ch.Op)
	}
}

// isPaused reports whether an id is switched off, and has been since the pass under
// way began: it does not see a backup that is put in place between two calls.
func (w *watch) isPaused(id agent.ID) bool {
	return !w.reindexed() && (w.db.paused || w.db.states[id].Paused)
}

// removes judges a removal, or the record that precedes it.
func (w *watch) removes(ch *agent.Change, has bool) {
	id := ch.ID
	grave, buried := w.db.graves[id]
	if ch.Bury != nil {
		grave, buried = *ch.Bury, true
	}
	path := w.db.at(id)
	switch {
	case !buried:
		w.fail("S14", "%s is removed without a record", id)
	case has && grave.Reason == agent.Denied:
		if !w.denied(path) {
			w.fail("S1", "%s is removed as denied, %s is not", id, path)
		}
	case grave.Reason == agent.Unregistered:
		if !w.ordered[id] || w.probes[path].holds == id {
			w.fail("S1", "%s is removed as unregistered: ordered %v, holds %q", id, w.ordered[id], w.probes[path].holds)
		}
	default:
		w.expires(id, path)
	}
}

// denied reports whether a path is on the deny list.
func (w *watch) denied(path string) bool {
	for d := range w.db.denied {
		if agent.Within(path, d) {
			return true
		}
	}
	return false
}

// expires judges a removal whose grace is said to be over.
func (w *watch) expires(id agent.ID, path string) {
	now := w.machine.passed()
	gone, ok := w.absent[id]
	if ok && path != "" && w.disk.holds(path) == id && !w.raced() {
		w.fail("S1", "%s is removed, it is in %s", id, path)
	}
	if !ok && path == "" && !w.shown(id) {
		return // it appeared since the last sweep, and nobody could know where
	}
	if !ok {
		w.fail("S1", "%s is removed, it is in %s", id, path)
		return
	}
	grace, since := w.options.OrphanGrace, max(gone.since, w.away[id])
	if on := w.seenOn[place{id, path}]; path != "" && !on.IsZero() && on != w.probes[path].mount {
		grace, since = w.options.UnmountedGrace, gone.since
		if grace == 0 {
			w.fail("S2", "%s is removed while its volume is away from %s", id, path)
		}
	}
	// Times are stored in milliseconds.
	if passed := now - since + time.Millisecond; passed+w.undetectable(since) < grace {
		w.fail("S2", "%s is removed after %v, the grace is %v", id, passed, grace)
	}
	if w.lostAt > 0 && now-w.lostAt+time.Millisecond+w.undetectable(w.lostAt) < min(grace, w.options.OrphanGrace) {
		w.fail("S2", "%s is removed %v after the index was lost, the grace is %v", id, now-w.lostAt, grace)
	}
	if w.db.lost {
		w.fail("S2", "%s is removed while the index is lost", id)
	}
	w.proven(id, path, grace)
	w.underMass(id)
}

// reindexed reports whether the index was exchanged between two calls at this
// instant: what a process knows of it is of another one.
func (w *watch) reindexed() bool { return w.lostAt > 0 && w.lostAt == w.machine.passed() }

// raced reports whether somebody acted between two calls at this instant.
func (w *watch) raced() bool { return w.racedAt > 0 && w.racedAt == w.machine.passed() }

// proven: an orphan was looked at twice, and just now, on a listing that can
// speak about it.
func (w *watch) proven(id agent.ID, path string, grace time.Duration) {
	at := path
	if grave, ok := w.db.graves[id]; ok && at == "" {
		at = grave.Record.Path // a removal that is repeated
	}
	if w.listing == nil || at != "" && !w.listing.CompleteFor(at) || at == "" && !w.listing.Complete() {
		w.fail("S2", "%s is removed from %q on an incomplete listing", id, path)
	}
	if path == "" {
		return
	}
	p, ok := w.fresh(path)
	if !ok || !p.absentFor(id) || p.holds == id {
		w.fail("S1", "%s is removed, the last look at %s says %+v", id, path, p)
	}
	k := w.looks[id]
	if settle := min(w.options.Settle, grace); k.n < 2 || time.Since(k.first) < settle {
		w.fail("S2", "%s is removed after %d looks in %v, it takes %v to settle", id, k.n, time.Since(k.first), settle)
	}
	for _, q := range w.disk.projects() {
		if w.disk.holds(q) == id && w.listed(id, q) && !w.denied(q) {
			w.fail("S1", "%s is removed, the sweep saw it in %s", id, q)
		}
	}
}

// listed reports whether the last listing shows an id at a path.
func (w *watch) listed(id agent.ID, path string) bool {
	return w.listing != nil && slices.ContainsFunc(w.listing.Places(id), func(i int32) bool { return w.listing.Sightings[i].Path == path })
}

// shown reports whether the last listing shows an id anywhere.
func (w *watch) shown(id agent.ID) bool { return w.listing == nil || len(w.listing.Places(id)) > 0 }

// underMass: nothing is removed under a mass disappearance.
func (w *watch) underMass(id agent.ID) {
	if row, has := w.db.rows[id]; has && w.massMissing(row.ScanRoot) {
		w.fail("S2", "%s is removed while much of %s is missing at once", id, row.ScanRoot)
	}
}

// massMissing reports whether a mass disappearance holds the removals in a root.
func (w *watch) massMissing(root string) bool {
	if root == "" || w.options.MassMissingRatio == 0 {
		return false
	}
	agents := 0
	var missing []time.Time
	released := w.db.roots[root].ReleasedAt
	for other := range w.db.rows {
		if w.db.rows[other].ScanRoot != root {
			continue
		}
		agents++
		if st := w.db.states[other]; st.Missing() && st.MissingSince.After(released) {
			missing = append(missing, st.MissingSince)
		}
	}
	agents = max(agents, w.rooted[root])
	window, hold := max(2*w.options.ResyncInterval, 10*time.Second), w.options.MassMissingHold
	if hold == 0 {
		hold = 3 * w.options.OrphanGrace
	}
	return slices.ContainsFunc(missing, func(first time.Time) bool {
		n, last := 0, first
		for _, t := range missing {
			if d := t.Sub(first); d >= 0 && d <= window {
				n++
				if t.After(last) {
					last = t
				}
			}
		}
		return n >= w.options.MassMissingMin && float64(n) >= w.options.MassMissingRatio*float64(agents) && w.machine.wall().Before(last.Add(hold))
	})
}
