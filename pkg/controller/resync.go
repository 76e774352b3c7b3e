package controller

import (
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// resync follows the keys that one sweep queued until each is proven converged
// or has ended in a state or a failure. "Is everything converged?" is counted
// here: the length of the queue says nothing.
type resync struct {
	sequence uint64
	keys     map[agent.ID]progress
	pending  int // keys that are not done
	failures map[agent.ID]Failure
	done     chan struct{}
	// aborted: the controller stopped before the keys were done.
	aborted bool
}

// unbegun is the sequence of a resync whose sweep goes on: no observation is late
// enough for it.
const unbegun = math.MaxUint64

// progress of a key.
type progress struct {
	deed deed
	// worked: something was found to do. A process without memory has to look at
	// everybody once: that alone is no work.
	worked bool
	done   bool
}

// deed is under which count an agent falls; the smallest wins.
type deed uint8

const (
	discovered deed = iota + 1
	relocated
	resurrected
	removed
	unreachable
	synced
)

// deedOf classifies what a plan did.
func deedOf(p *plan.Plan) deed {
	switch {
	case p.Reason == agent.Discovered:
		return discovered
	case p.Reason == agent.Relocated:
		return relocated
	case p.Reason == agent.Resurrected:
		return resurrected
	case p.Record != nil:
		return removed
	case p.Starts || slices.ContainsFunc(p.Actions, func(a plan.Action) bool { return a.Type == plan.MarkUnreachable }):
		return unreachable
	case len(p.Actions) > 0:
		return synced
	}
	return 0
}

// resyncs are the ones that are waited for.
type resyncs struct {
	mu     sync.Mutex
	active []*resync
}

// open registers a resync whose keys are still to be found.
func (r *resyncs) open() *resync {
	s := &resync{
		sequence: unbegun,
		keys:     map[agent.ID]progress{},
		failures: map[agent.ID]Failure{},
		done:     make(chan struct{}),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active = append(r.active, s)
	return s
}

// of registers a resync of keys that are known.
func (r *resyncs) of(sequence uint64, ids []agent.ID) *resync {
	s := r.open()
	r.begin(s, sequence, ids)
	return s
}

// early registers a key that is queued while the sweep goes on: what is done
// about it counts, and it is looked at again afterwards.
func (r *resyncs) early(s *resync, id agent.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := s.keys[id]; !known && s.sequence == unbegun {
		s.keys[id] = progress{}
	}
}

// hasEarly reports whether any key was.
func (r *resyncs) hasEarly(s *resync) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(s.keys) > 0
}

// begin registers keys, none twice, and returns what is to be queued: them, and
// those that were early, since what was done about these was decided without what
// the rest of the sweep has found.
func (r *resyncs) begin(s *resync, sequence uint64, ids []agent.ID) []agent.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.aborted {
		return ids
	}
	if len(s.keys) > 0 {
		early := maps.Clone(s.keys)
		for _, id := range ids {
			delete(early, id)
		}
		ids = append(slices.Clip(ids), sortedIDs(early)...)
	} else {
		s.keys = make(map[agent.ID]progress, len(ids))
	}
	for _, id := range ids {
		if _, early := s.keys[id]; !early {
			s.keys[id] = progress{}
		}
	}
	s.sequence, s.pending = sequence, len(ids)
	if s.pending == 0 {
		r.drop(s)
		close(s.done)
	}
	return ids
}

// cancel is for a sweep that failed.
func (r *resyncs) cancel(s *resync) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(s)
}

func (r *resyncs) drop(s *resync) {
	r.active = slices.DeleteFunc(r.active, func(o *resync) bool { return o == s })
}

// join makes whoever waits for id wait for other too: it was displaced.
func (r *resyncs) join(id, other agent.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.active {
		if !s.waits(id) {
			continue
		}
		p, known := s.keys[other]
		if !known || p.done {
			s.pending++
		}
		p.done = false
		p.record(unreachable)
		s.keys[other] = p
	}
}

// finish ends the key of a task whose observation began at sequence.
func (r *resyncs) finish(t *task, sequence uint64, d deed, f *Failure) {
	id := t.id
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active = slices.DeleteFunc(r.active, func(s *resync) bool {
		if !s.waits(id) {
			return false
		}
		p := s.keys[id]
		p.record(d)
		p.worked = p.worked || f != nil || t.plan.Writes()
		p.done = sequence >= s.sequence // else it was observed before that sweep: it comes again
		s.keys[id] = p
		if !p.done {
			return false
		}
		if f != nil {
			s.failures[id] = *f
		}
		if s.pending--; s.pending > 0 {
			return false
		}
		close(s.done)
		return true
	})
}

// over reports whether no key is waited for: mostly none was queued.
func (s *resync) over() bool {
	select {
	case <-s.done:
		return !s.aborted
	default:
		return false
	}
}

// waits reports whether the key is one that is waited for still.
func (s *resync) waits(id agent.ID) bool {
	p, ok := s.keys[id]
	return ok && !p.done
}

func (p *progress) record(d deed) {
	if d != 0 && (p.deed == 0 || d < p.deed) {
		p.deed = d
	}
}

// abandon ends every wait: the controller stops.
func (r *resyncs) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.active {
		s.aborted = true
		close(s.done)
	}
	r.active = nil
}

// result counts what was done; what is comes from the ledger.
func (r *resyncs) result(s *resync) SyncResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := SyncResult{Failures: []Failure{}}
	for _, p := range s.keys {
		if p.worked {
			out.Counts.Queued++
		}
		switch p.deed {
		case discovered:
			out.Counts.Discovered++
		case relocated:
			out.Counts.Relocated++
		case resurrected:
			out.Counts.Resurrected++
		case removed:
			out.Counts.Removed++
		case unreachable:
			out.Counts.Unreachable++
		case synced:
			out.Counts.Synced++
		}
	}
	for _, f := range s.failures {
		out.Failures = append(out.Failures, f)
	}
	slices.SortFunc(out.Failures, func(a, b Failure) int { return strings.Compare(string(a.ID), string(b.ID)) })
	out.Counts.Failed = len(out.Failures)
	out.Converged = len(out.Failures) == 0
	return out
}
