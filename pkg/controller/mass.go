package controller

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// mass computes the hold on the removals of a root from the stored times.
func (c *Controller) mass(s *snapshot, root string, now time.Time) *plan.Hold {
	o := c.options.Load()
	return plan.Mass(c.ledger.missing(root), s.perRoot[root], s.released[root], now, o.massPolicy())
}

// watchMass computes the hold and notices when it begins or ends.
func (c *Controller) watchMass(s *snapshot, root string, now time.Time) *plan.Hold {
	hold := c.mass(s, root, now)
	c.ledger.massHold(root, hold, now)
	return hold
}

// massReturned reports whether the hold on an absence that began at since ended
// because enough of the others came back: not because its time is over or the
// root was released, after which removals thin them out too.
func (c *Controller) massReturned(s *snapshot, root string, since, now time.Time) bool {
	p := c.options.Load().massPolicy()
	return since.After(s.released[root]) && since.Add(p.Hold).After(now) &&
		plan.Mass(c.ledger.missing(root), s.perRoot[root], time.Time{}, time.Time{}, p) == nil
}

// massHolds keeps the hold of each root while many of its orphans are looked at:
// computing it for each of them would be quadratic.
type massHolds map[string]*plan.Hold

func (m massHolds) of(root string, compute func(root string) *plan.Hold) *plan.Hold {
	hold, ok := m[root]
	if !ok {
		hold = compute(root)
		m[root] = hold
	}
	return hold
}

// orphanedRoots are those in which somebody is missing, or was when a mass hold
// was last computed.
func (l *ledger) orphanedRoots() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	roots := map[string]struct{}{}
	for _, o := range l.orphans {
		if o.root != "" {
			roots[o.root] = struct{}{}
		}
	}
	for root := range l.mass {
		roots[root] = struct{}{}
	}
	return keys(roots)
}

// massHold remembers the mass hold of a root. Where it begins, or ends before its
// time, whoever is missing is due for another look: that it held is recorded
// with each of them, and those that it held were timed by it.
func (l *ledger) massHold(root string, hold *plan.Hold, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.mass[root]
	switch {
	case hold != nil:
		l.mass[root] = hold
		if was != nil {
			return
		}
	case was == nil:
		return
	default:
		delete(l.mass, root)
		if !was.Until.After(now) {
			return
		}
	}
	for id, o := range l.orphans {
		if _, ok := l.dirty[id]; !ok && o.root == root {
			l.dirty[id] = difference{since: now}
		}
	}
}
