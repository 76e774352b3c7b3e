package controller

import "github.com/mesh-registry/mesh-controller/pkg/agent"

// fill adds what is to the counts of a sync.
func (l *ledger) fill(c *Counts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.status {
		c.Agents += n
	}
	problems := l.problemCounts()
	c.Duplicates += problems[agent.DuplicateID]
	c.Invalid += problems[agent.ManifestInvalid]
	c.Unknown += problems[agent.UnknownEvidence]
	for _, o := range l.orphans {
		if o.held {
			c.Held++
		}
	}
}

// problemCounts is how many problems there are, by reason. The caller holds mu.
func (l *ledger) problemCounts() map[agent.Reason]int {
	n := map[agent.Reason]int{}
	l.eachProblem(func(p *agent.Problem) { n[p.Reason]++ })
	return n
}

func (l *ledger) eachProblem(f func(*agent.Problem)) {
	for _, list := range l.problems {
		for i := range list {
			f(&list[i])
		}
	}
	for i := range l.places {
		f(&l.places[i])
	}
}

// gauges is how things stand.
func (l *ledger) gauges() agent.Gauges {
	l.mu.Lock()
	defer l.mu.Unlock()
	problems := l.problemCounts()
	g := agent.Gauges{
		Active:        l.status[agent.Active],
		Unreachable:   l.status[agent.Unreachable],
		Duplicate:     problems[agent.DuplicateID],
		Invalid:       problems[agent.ManifestInvalid],
		Unreadable:    problems[agent.UnknownEvidence],
		Denied:        problems[agent.Denied],
		Unconverged:   len(l.dirty),
		RelayDeferred: len(l.deferred),
		HeldBy:        map[agent.Reason]int{},
		Parked:        len(l.failing),
	}
	for id, o := range l.orphans {
		if _, counted := l.failing[id]; !counted && !o.removeAt.IsZero() {
			g.Parked++
		}
		if o.held {
			g.Held++
			g.HeldBy[o.hold.Reason]++
		} else {
			g.InGrace++
		}
		if !o.removeAt.IsZero() && (g.NextRemoval.IsZero() || o.removeAt.Before(g.NextRemoval)) {
			g.NextRemoval = o.removeAt
		}
	}
	return g
}
