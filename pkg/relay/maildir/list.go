package maildir

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// List implements relay.Backend. While nothing changes it costs a stat of the
// directory, of one mailbox in twelve and of the rules file. A mailbox that
// came or went is told at once, one that lost a part when it is its turn. The
// first List looks at every mailbox and reports every endpoint's id.
//
// Once rules become readable that were not, every endpoint's id is reported:
// nothing could be judged before.
func (r *Relay) List(ctx context.Context) (*agent.RelayListing, []agent.ID, error) {
	if err := r.enter(ctx); err != nil {
		return nil, nil, err
	}
	defer r.leave()
	changed, err := r.boxes.scan(ctx, r.mailboxes, r.now())
	if err != nil {
		return nil, nil, fmt.Errorf("list mailboxes: %w", err)
	}
	if !r.boxes.listed {
		changed = r.boxes.ids()
	}
	r.boxes.listed, r.boxes.loaded = true, true
	r.rules.refresh()
	if err := r.keeping.refresh(r.removed, r.now()); err != nil {
		return nil, nil, fmt.Errorf("list mail kept aside: %w", err)
	}
	if r.boxes.moved || r.listing == nil || r.stale() {
		r.listing, r.boxes.moved = r.build(), false
	}
	changed = r.concerned(changed, r.known.compare(&r.rules))
	return r.listing, changed, nil
}

// Warm looks at every mailbox, so that the first List, which has to, finds most
// of it done. It may run beside anything; what it cannot see List will tell.
func (r *Relay) Warm(ctx context.Context) {
	if r.enter(ctx) != nil {
		return
	}
	defer r.leave()
	if !r.boxes.listed {
		_, err := r.boxes.scan(ctx, r.mailboxes, r.now())
		r.boxes.loaded = r.boxes.loaded || err == nil
	}
}

// stale reports whether the rules that were handed out are not those of now.
func (r *Relay) stale() bool {
	return !maps.Equal(r.listing.Kept, r.keeping.ids) || r.listing.Degraded != r.rules.problem || r.known.generation != r.rules.generation
}

func (r *Relay) build() *agent.RelayListing {
	l := &agent.RelayListing{
		Endpoints: make(agent.Endpoints, 0, len(r.boxes.all)),
		Kept:      r.keeping.ids,
		Degraded:  r.rules.problem,
	}
	if l.Degraded == "" {
		l.Rules = r.rules.sets
	}
	r.boxes.arrange()
	for i := range r.boxes.all {
		if b := &r.boxes.all[i]; b.state != noBox {
			l.Endpoints = append(l.Endpoints, agent.Endpoint{Subject: b.name, Whole: b.state == wholeBox, In: r.mailboxes})
		}
	}
	return l
}

// concerned adds the ids that live in namespaces whose rules changed.
func (r *Relay) concerned(changed []agent.ID, rules rulesDiff) []agent.ID {
	if rules.all || len(rules.namespaces) > 0 {
		for i := range r.boxes.all {
			b := &r.boxes.all[i]
			if b.state != noBox && (rules.all || rules.namespaces[namespaceOf(b.name)]) {
				changed = append(changed, b.name.ID())
			}
		}
	}
	slices.Sort(changed)
	return slices.Compact(changed)
}
