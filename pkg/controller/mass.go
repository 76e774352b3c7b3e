package controller

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// mass computes the hold on the removals of a root from the stored times.
func (c *Controller) mass(s *snapshot, root string, now time.Time) *plan.Hold {
	o := c.options.Load()
	return plan.Mass(c.ledger.missing(root), s.perRoot[root], s.released[root], now, o.massPolicy())
}

// watchMass computes the hold and notices when it ends.
func (c *Controller) watchMass(s *snapshot, root string, now time.Time) *plan.Hold {
	hold := c.mass(s, root, now)
	released := hold == nil && plan.Mass(c.ledger.missing(root), s.perRoot[root], time.Time{}, now, c.options.Load().massPolicy()) != nil
	c.ledger.massHold(root, hold, released, now)
	return hold
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

// massHold remembers the mass hold of a root. Where it ended before its time,
// whoever is still missing is due for another look: those that it held were
// timed by it. Unless an operator released them their clock begins anew.
func (l *ledger) massHold(root string, hold *plan.Hold, released bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.mass[root]
	if hold != nil {
		l.mass[root] = hold
		return
	}
	delete(l.mass, root)
	if was == nil || !was.Until.After(now) {
		return
	}
	for id, o := range l.orphans {
		if o.root != root {
			continue
		}
		if _, ok := l.dirty[id]; !ok {
			l.dirty[id] = now
		}
		if !released {
			l.anew[id] = struct{}{}
		}
	}
}

func (l *ledger) beginsAnew(id agent.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.anew[id]
	return ok
}
