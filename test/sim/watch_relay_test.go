package sim

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// addressed are all addresses of a version of the relay.
type addressed struct {
	version int
	list    []agent.Subject
}

// addresses are all that exist.
func (w *world) addresses() []agent.Subject {
	if v := w.bus.Version(); v != w.addressed.version {
		w.addressed = addressed{v, w.listAddresses()}
	}
	return w.addressed.list
}

func (w *world) listAddresses() []agent.Subject {
	l, _, err := w.bus.Reopen().List(context.Background())
	if err != nil {
		panic(err)
	}
	var list []agent.Subject
	for _, e := range l.Endpoints {
		list = append(list, e.Subject)
	}
	slices.Sort(list)
	return list
}

// comes: an address never exists without its namespace's deny.
func (w *watch) comes(s agent.Subject) {
	ns, id, ok := agent.ParseSubject(string(s))
	if !ok || strings.ContainsAny(string(s), "*>") {
		w.fail("S7", "%s is no address", s)
	}
	if w.vandalAt != w.machine.passed() && !slices.Contains(w.bus.Rules(), agent.BaseRules(ns)[0]) {
		w.fail("S10", "%s is made without the deny of %s", s, ns)
	}
	if w.order == nil && w.isPaused(id) {
		w.fail("paused", "%s is made", s)
	}
}

// retiring: mail is taken from nobody who is there, and not before it is on
// record why.
func (w *watch) retiring(s agent.Subject) {
	_, id, _ := agent.ParseSubject(string(s))
	if w.order != nil || w.reindexed() {
		return
	}
	if w.isPaused(id) {
		w.fail("paused", "%s is retired", s)
	}
	grave, buried := w.db.graves[id]
	if !buried {
		grave, buried = w.outlivedNow(id)
	}
	if !buried {
		w.fail("S14", "%s is retired without a record", s)
		return
	}
	path := cmp.Or(w.db.at(id), grave.Record.Path)
	if p := w.probes[path]; path != "" && p.holds == id && grave.Reason != agent.Denied && !w.denied(path) {
		w.fail("S1", "%s is retired, its agent is in %s", s, path)
	}
}

// outlived: the thirty days of these records are over.
func (w *watch) outlived(graves []agent.Tombstone) {
	for _, g := range graves {
		w.ended[g.ID] = ended{w.machine.passed(), g}
	}
}

// outlivedNow is the record of an id that ended in the pass under way. An address
// may wait for longer than a record is kept, as long as a DorkOS runs. The pass
// that takes it away was planned by its record, which has been there for all its
// time; that the pass's own writes drop it before takes nothing from anybody.
func (w *watch) outlivedNow(id agent.ID) (agent.Tombstone, bool) {
	e, ok := w.ended[id]
	return e.grave, ok && e.at == w.machine.passed()
}

// ungoverned: the rules of a namespace go when nobody is in it any more. Who lives
// in another index, put in place since this one was asked, nobody can know; the
// next sweep sees to their rules.
func (w *watch) ungoverned(batch []relay.Removal) {
	for _, b := range batch {
		for _, s := range w.addresses() {
			if ns, _, _ := agent.ParseSubject(string(s)); ns == b.Namespace && !b.SystemOnly {
				w.fail("S10", "the rules of %s go, %s is there", ns, s)
			}
		}
		for id := range w.db.rows {
			r := w.db.rows[id]
			if !w.reindexed() && r.Namespace() == b.Namespace && (!b.SystemOnly || r.System()) {
				w.fail("S10", "the rules of %s go, %s lives there", b.Namespace, id)
			}
		}
	}
}

// letters: none is ever lost, in a mailbox or kept aside, nor does anybody get
// another's.
func (w *watch) letters(call string) {
	left := maps.Clone(w.wanted)
	n := 0
	for _, s := range w.addresses() {
		_, id, _ := agent.ParseSubject(string(s))
		for _, content := range w.bus.Mail(s) {
			n++
			if whose := left[content]; whose != id {
				w.fail("letters", "%q of %s is in the mailbox %s after %s", content, whose, s, call)
			}
			delete(left, content)
		}
	}
	if kept := w.bus.Kept(); len(left) != kept {
		w.fail("letters", "%d letters were sent, %d are in mailboxes and %d kept aside after %s", len(w.wanted), n, kept, call)
	}
}

// own reports whether a rule is one of a namespace's four, and of which.
func own(r agent.Rule) (ns string, ours bool) {
	for _, pattern := range []string{r.From, r.To} {
		ns = strings.TrimSuffix(strings.TrimPrefix(pattern, "relay.agent."), ".*")
		if slices.Contains(append(agent.BaseRules(ns), agent.SystemRules(ns)...), r) {
			return ns, true
		}
	}
	return "", false
}

// ruled checks what must hold of the relay after every step.
func (w *watch) ruled() {
	var foreign []agent.Rule
	denied := map[string]bool{}
	for _, r := range w.bus.Rules() {
		ns, ours := own(r)
		switch {
		case !ours:
			foreign = append(foreign, r)
		case r.Action == agent.Deny:
			denied[ns] = true
		case r.Priority > 100 && !w.systems[ns]:
			w.fail("S7", "%+v, no system agent ever lived in %s", r, ns)
		}
	}
	if !slices.Equal(foreign, w.foreign) {
		w.fail("S9", "users' rules were %v and are %v", w.foreign, foreign)
	}
	count := map[agent.ID]int{}
	governed, single := true, true
	for _, s := range w.addresses() {
		ns, id, _ := agent.ParseSubject(string(s))
		if count[id]++; count[id] > 1 {
			single = false
		}
		if count[id] > 1 && !w.doubled {
			w.fail("S7", "%s has %d addresses", id, count[id])
		}
		governed = governed && denied[ns]
		if !w.vandal && !denied[ns] {
			w.fail("S10", "%s exists without the deny of %s", s, ns)
		}
	}
	w.vandal = w.vandal && !governed
	w.doubled = w.doubled && (!single || w.dorkOS)
}
