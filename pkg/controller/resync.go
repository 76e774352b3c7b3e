package controller

import (
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
	pending  map[agent.ID]struct{}
	deeds    map[agent.ID]deed
	failures map[agent.ID]Failure
	// worked are the keys in which something was found to do. A process without
	// memory has to look at everybody once: that alone is no work.
	worked map[agent.ID]struct{}
	done   chan struct{}
	// aborted: the controller stopped before the keys were done.
	aborted bool
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

// begin registers keys before they are queued.
func (r *resyncs) begin(sequence uint64, ids []agent.ID) *resync {
	s := &resync{
		sequence: sequence,
		pending:  make(map[agent.ID]struct{}, len(ids)),
		deeds:    map[agent.ID]deed{},
		failures: map[agent.ID]Failure{},
		worked:   map[agent.ID]struct{}{},
		done:     make(chan struct{}),
	}
	for _, id := range ids {
		s.pending[id] = struct{}{}
	}
	if len(ids) == 0 {
		close(s.done)
		return s
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active = append(r.active, s)
	return s
}

// join makes whoever waits for id wait for other too: it was displaced.
func (r *resyncs) join(id, other agent.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.active {
		if _, ok := s.pending[id]; ok {
			s.pending[other] = struct{}{}
			s.record(other, unreachable)
		}
	}
}

// finish ends the key of a task whose observation began at sequence.
func (r *resyncs) finish(t *task, sequence uint64, d deed, f *Failure) {
	id := t.id
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active = slices.DeleteFunc(r.active, func(s *resync) bool {
		if _, ok := s.pending[id]; !ok {
			return false
		}
		s.record(id, d)
		if f != nil || t.plan.Writes() {
			s.worked[id] = struct{}{}
		}
		if sequence < s.sequence {
			return false // it was observed before that sweep: it comes again
		}
		if f != nil {
			s.failures[id] = *f
		}
		delete(s.pending, id)
		if len(s.pending) > 0 {
			return false
		}
		close(s.done)
		return true
	})
}

func (s *resync) record(id agent.ID, d deed) {
	if have := s.deeds[id]; d != 0 && (have == 0 || d < have) {
		s.deeds[id] = d
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
	out := SyncResult{Counts: Counts{Queued: len(s.worked)}, Failures: []Failure{}}
	for _, d := range s.deeds {
		switch d {
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
