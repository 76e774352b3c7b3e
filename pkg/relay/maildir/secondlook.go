package maildir

import (
	"context"
	"sync"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// A running DorkOS takes about 120 ms to notice a new rules file; until then it
// may write its own memory over it.
const (
	secondLookDelay = 500 * time.Millisecond
	maxSecondLooks  = 3 // a rule that is lost more often waits for the next sweep
)

// secondLook is the background goroutine, at most one, that looks whether
// rules survived. What it does not manage, the next List reports.
type secondLook struct {
	delay   time.Duration
	running sync.WaitGroup

	// Guarded by the gate.
	active, closed bool
	pending        map[agent.Rule]struct{}
	order          []agent.Rule
	writes         int // bumped by every write: the delay starts anew
}

// forget drops rules that are to go from what is looked for.
func (c *secondLook) forget(rules []agent.Rule) {
	for _, rule := range rules {
		delete(c.pending, rule)
	}
}

// lookAgain is called with the gate held, after a write.
func (r *Relay) lookAgain(rules []agent.Rule) {
	c := &r.check
	if c.closed {
		return
	}
	if _, alive := r.dork.living(); !alive {
		return
	}
	if c.pending == nil {
		c.pending = map[agent.Rule]struct{}{}
	}
	for _, rule := range rules {
		if _, ok := c.pending[rule]; !ok {
			c.order = append(c.order, rule)
		}
		c.pending[rule] = struct{}{}
	}
	c.writes++
	if !c.active {
		c.active = true
		c.running.Go(r.keepLooking)
	}
}

func (r *Relay) keepLooking() {
	for looks := 0; looks < maxSecondLooks; {
		_ = r.enter(context.Background()) // which never ends
		writes := r.check.writes
		r.leave()
		time.Sleep(r.check.delay)
		_ = r.enter(context.Background())
		if r.check.writes == writes || r.check.closed { // else written since: look later
			looks++
			if !r.lookOnce() || r.check.closed {
				looks = maxSecondLooks
			}
		}
		if looks == maxSecondLooks {
			r.check.active, r.check.pending, r.check.order = false, nil, nil
		}
		r.leave()
	}
}

// lookOnce adds what is missing and reports whether anything was.
func (r *Relay) lookOnce() bool {
	var rules []agent.Rule
	for _, rule := range r.check.order {
		if _, ok := r.check.pending[rule]; ok {
			rules = append(rules, rule)
		}
	}
	wrote, err := r.edit(context.Background(), func(d *document) *document { return d.add(rules) })
	return wrote && err == nil
}
