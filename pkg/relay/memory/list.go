package memory

import (
	"context"
	"maps"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// List implements relay.Backend.
func (r *Relay) List(ctx context.Context) (*agent.RelayListing, []agent.ID, error) {
	if err := r.lock(ctx); err != nil {
		return nil, nil, err
	}
	defer r.unlock()
	if r.listing != nil && r.seen == r.world.version {
		return r.listing, nil, nil
	}
	r.seen = r.world.version
	var changed []agent.ID
	for s, b := range r.world.boxes {
		if whole, known := r.known[s]; !known || whole == b.half {
			changed = append(changed, idOf(s))
		}
	}
	for s := range r.known {
		if r.world.boxes[s] == nil {
			changed = append(changed, idOf(s))
		}
	}
	r.known = make(map[agent.Subject]bool, len(r.world.boxes))
	for s, b := range r.world.boxes {
		r.known[s] = !b.half
	}
	changed = append(changed, r.compareRules()...)
	slices.Sort(changed)

	l := r.world.listing()
	if r.listing == nil || !equal(l, r.listing) {
		r.listing = l
	}
	return r.listing, slices.Compact(changed), nil
}

// compareRules returns the ids in namespaces whose rules changed; all of them
// when rules can be read that could not.
func (r *Relay) compareRules() (changed []agent.ID) {
	if r.world.broken != "" {
		r.blind = true
		return nil
	}
	sets := r.world.sets()
	for s := range r.world.boxes {
		ns, id, _ := agent.ParseSubject(string(s))
		if r.blind || sets[ns] != r.rules[ns] {
			changed = append(changed, id)
		}
	}
	r.rules, r.blind = sets, false
	return changed
}

func (w *world) listing() *agent.RelayListing {
	l := &agent.RelayListing{Degraded: w.broken}
	for s, b := range w.boxes {
		l.Endpoints = append(l.Endpoints, endpoint(s, b))
	}
	l.Endpoints.Sort()
	for _, k := range w.kept {
		if l.Kept == nil {
			l.Kept = map[agent.ID]bool{}
		}
		l.Kept[idOf(k.subject)] = true
	}
	if w.broken == "" {
		l.Rules = w.sets()
	}
	return l
}

func equal(a, b *agent.RelayListing) bool {
	return a.Degraded == b.Degraded && maps.Equal(a.Rules, b.Rules) && maps.Equal(a.Kept, b.Kept) &&
		slices.Equal(a.Endpoints, b.Endpoints)
}

func idOf(s agent.Subject) agent.ID {
	_, id, _ := agent.ParseSubject(string(s))
	return id
}
