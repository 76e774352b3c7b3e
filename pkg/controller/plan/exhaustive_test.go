package plan_test

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// TestEveryObservation asks the planner about every combination of what can be
// observed, out of small domains, and holds each answer against the invariants.
func TestEveryObservation(t *testing.T) {
	// The heap is tiny and short-lived: left alone, collecting it costs as much
	// as everything else.
	defer debug.SetGCPercent(debug.SetGCPercent(2000))
	var total atomic.Int64
	t.Run("of", func(t *testing.T) {
		for _, s := range []*space{identitySpace(), orphanSpace(), rowlessSpace(), relaySpace(), orderSpace(), rowlessOrderSpace(), departureSpace(), contestedSpace(), pauseSpace()} {
			for part := range parts {
				t.Run(fmt.Sprintf("%s/%d", s.name, part), func(t *testing.T) {
					t.Parallel()
					for first := part; first < s.dims[0]; first += parts {
						total.Add(s.enumerate(t, first))
					}
					if !reflect.DeepEqual(s.shared, s.pristine()) {
						t.Error("what was observed was written to")
					}
				})
			}
		}
	})
	t.Logf("%d observations", total.Load())
}

// parts of a space are looked at side by side.
const parts = 8

// space is a product of domains.
type space struct {
	name string
	dims []int
	// build makes the observation of one choice per domain; false: it cannot be.
	build func(b *builder) bool
	// pristine makes the shared parts anew, to see whether any was written to.
	pristine func() any
	shared   any
	// holds are the invariants that hold in it.
	holds func() []invariant

	broken sync.Map // the names of invariants
}

// builder collects one observation and the names of what it was made of.
type builder struct {
	o      plan.Observation
	policy plan.Policy
	index  []int
	next   int
	names  []string
	naming bool
}

// choice is one value of a domain.
type choice[T any] struct {
	name  string
	value T
}

// pick takes the choice of the next domain.
func pick[T any](b *builder, domain []choice[T]) T {
	c := &domain[b.index[b.next]]
	b.next++
	if b.naming {
		b.names = append(b.names, c.name)
	}
	return c.value
}

// stride thins the enumeration out where time is short: one in so many, in a
// pattern that meets every choice.
func stride() int64 {
	switch {
	case testing.Short():
		return 61
	case raceEnabled:
		return 23
	}
	return 1
}

// enumerate looks at everything with the given first choice. The first
// observation that breaks an invariant stands for all of the space.
func (s *space) enumerate(t *testing.T, first int) (seen int64) {
	all := s.holds()
	index := make([]int, len(s.dims))
	index[0] = first
	step, n := stride(), int64(0)
	var b builder
	var v verdict
	for {
		if n++; n%step == 0 {
			b = builder{index: index}
			if s.build(&b) {
				seen++
				if name, why := examine(&b, &v, all); name != "" && s.news(name) {
					b = builder{index: index, naming: true}
					s.build(&b)
					t.Errorf("%s\n%s: %s", strings.Join(b.names, " | "), name, why)
				}
			}
		}
		if !advance(index, s.dims) {
			return seen
		}
	}
}

// news reports whether the invariant was not broken before in this space.
func (s *space) news(invariant string) bool {
	_, known := s.broken.LoadOrStore(invariant, true)
	return !known
}

// advance turns the odometer, whose first wheel stays.
func advance(index, dims []int) bool {
	for i := len(index) - 1; i > 0; i-- {
		if index[i]++; index[i] < dims[i] {
			return true
		}
		index[i] = 0
	}
	return false
}

// examine decides about one observation and says which invariant is broken.
func examine(b *builder, v *verdict, all []invariant) (name, why string) {
	*v = verdict{o: &b.o, policy: b.policy, evidence: judge(&b.o)}
	v.p = plan.Compute(b.o, b.policy)
	if quiet(&v.p) {
		v.next = b.o
	} else {
		v.next = apply(b.o, &v.p)
	}
	v.again = plan.Compute(v.next, b.policy)
	if quiet(&v.p) && !samePlan(&v.p, &v.again) {
		return "Deterministic", "\n" + digest(v.p) + "and\n" + digest(v.again)
	}
	for i := range all {
		if why := all[i].broken(v); why != "" {
			return all[i].name, why + "\nplan:\n" + digest(v.p)
		}
	}
	return "", ""
}

// identitySpace asks who may be where: every pair of claims against every home
// of a row.
func identitySpace() *space {
	type shared struct {
		base     plan.Observation
		homes    []choice[*plan.Home]
		rows     []choice[*agent.Record]
		states   []choice[*agent.State]
		claims   []choice[[]plan.Claim]
		relays   []choice[plan.Relay]
		complete []choice[bool]
	}
	build := func() any {
		return &shared{steady(), homes(homePath), rows(), someStates(), claimPairs(), someRelays()[:3], yesNo("complete")}
	}
	d := build().(*shared)
	return &space{
		name: "identity", shared: d, pristine: build, holds: invariants,
		dims: []int{len(d.homes), len(d.rows), len(d.states), len(d.claims), len(d.relays), len(d.complete)},
		build: func(b *builder) bool {
			b.o, b.policy = d.base, daemon
			b.o.Home = pick(b, d.homes)
			b.o.Row = pick(b, d.rows)
			b.o.State = pick(b, d.states)
			claim(b, pick(b, d.claims))
			b.o.Relay = pick(b, d.relays)
			b.o.Complete = pick(b, d.complete)
			return true
		},
	}
}

// orphanSpace asks when an id may go: every clock, hold and policy against
// every home.
func orphanSpace() *space {
	type shared struct {
		base     plan.Observation
		homes    []choice[*plan.Home]
		standing []choice[standing]
		states   []choice[*agent.State]
		claims   []choice[[]plan.Claim]
		looks    []choice[looked]
		guards   []choice[string]
		policies []choice[plan.Policy]
	}
	build := func() any {
		return &shared{steady(), homes(homePath), standings(), allStates(), singleClaims(), looks(), guards(), policies()}
	}
	d := build().(*shared)
	return &space{
		name: "orphan", shared: d, pristine: build, holds: invariants,
		dims: []int{len(d.homes), len(d.standing), len(d.states), len(d.claims), len(d.looks), len(d.guards), len(d.policies)},
		build: func(b *builder) bool {
			b.o = d.base
			b.o.Home = pick(b, d.homes)
			s := pick(b, d.standing)
			b.o.Row, b.o.Tombstone = s.row, s.stone
			b.o.State = pick(b, d.states)
			claim(b, pick(b, d.claims))
			look(b, pick(b, d.looks))
			guard(b, pick(b, d.guards))
			b.policy = pick(b, d.policies)
			return b.o.Row != nil || consistent(&b.o)
		},
	}
}

// rowlessSpace asks about an id without a row: newcomers, those who return,
// the displaced and what is left of the removed.
func rowlessSpace() *space {
	type shared struct {
		base   plan.Observation
		tombs  []choice[*tomb]
		states []choice[*agent.State]
		claims []choice[[]plan.Claim]
		relays []choice[plan.Relay]
		guards []choice[string]
	}
	build := func() any {
		return &shared{steady(), tombs(), rowlessStates(), claimPairs(), someRelays(), rowlessGuards()}
	}
	d := build().(*shared)
	return &space{
		name: "rowless", shared: d, pristine: build, holds: invariants,
		dims: []int{len(d.tombs), len(d.states), len(d.claims), len(d.relays), len(d.guards)},
		build: func(b *builder) bool {
			b.o, b.policy = d.base, daemon
			b.o.Row = nil
			tomb := pick(b, d.tombs)
			b.o.Tombstone, b.o.Home = tomb.stone, tomb.home
			b.o.State = pick(b, d.states)
			claim(b, pick(b, d.claims))
			b.o.Relay = pick(b, d.relays)
			guard(b, pick(b, d.guards))
			return consistent(&b.o)
		},
	}
}

// relaySpace asks what addresses and rules become of: every state of the relay
// against the kinds of plan.
func relaySpace() *space {
	type shared struct {
		base      plan.Observation
		scenes    []choice[*scene]
		endpoints []choice[[]agent.Endpoint]
		rules     []choice[map[string]agent.RuleSet]
		shared    []choice[map[string]bool]
		kept      []choice[bool]
		modes     []choice[string]
	}
	build := func() any {
		return &shared{steady(), scenes(), endpointSets(), ruleSets(), sharing(), yesNo("kept"), relayModes()}
	}
	d := build().(*shared)
	return &space{
		name: "relay", shared: d, pristine: build, holds: invariants,
		dims: []int{len(d.scenes), len(d.endpoints), len(d.rules), len(d.shared), len(d.kept), len(d.modes)},
		build: func(b *builder) bool {
			s := pick(b, d.scenes)
			b.o, b.policy = s.o, daemon
			b.o.Relay = plan.Relay{
				Enabled:   true,
				Endpoints: pick(b, d.endpoints),
				Rules:     pick(b, d.rules),
				Shared:    pick(b, d.shared),
				Kept:      pick(b, d.kept),
			}
			switch pick(b, d.modes) {
			case "off":
				b.o.Relay.Enabled = false
				return len(b.o.Relay.Endpoints) == 0
			case "down":
				b.o.Relay.Down = "connection refused"
				return len(b.o.Relay.Endpoints) == 0
			case "degraded":
				b.o.Relay.Degraded = "access-rules.json does not parse"
			}
			return true
		},
	}
}

// orderSpace asks what an operator's intent changes for an id with a row: every
// order against every home and every pair of claims.
func orderSpace() *space {
	type shared struct {
		base     plan.Observation
		homes    []choice[*plan.Home]
		orders   []choice[plan.Order]
		rows     []choice[ordered]
		claims   []choice[[]plan.Claim]
		relays   []choice[plan.Relay]
		complete []choice[bool]
	}
	build := func() any {
		relays := someRelays()
		return &shared{
			steady(), homes(homePath), orders(), orderedRows(), claimPairs(),
			[]choice[plan.Relay]{relays[0], relays[1], relays[4]},
			yesNo("complete"),
		}
	}
	d := build().(*shared)
	return &space{
		name: "order", shared: d, pristine: build, holds: invariants,
		dims: []int{len(d.homes), len(d.orders), len(d.rows), len(d.claims), len(d.relays), len(d.complete)},
		build: func(b *builder) bool {
			b.o, b.policy = d.base, daemon
			b.o.Home = pick(b, d.homes)
			b.o.Order = pick(b, d.orders)
			row := pick(b, d.rows)
			b.o.Row, b.o.Tombstone, b.o.State = row.row, row.stone, row.state
			claim(b, pick(b, d.claims))
			b.o.Relay = pick(b, d.relays)
			b.o.Complete = pick(b, d.complete)
			return true
		},
	}
}

// rowlessOrderSpace asks the same for an id without a row.
func rowlessOrderSpace() *space {
	type shared struct {
		base   plan.Observation
		tombs  []choice[*tomb]
		orders []choice[plan.Order]
		claims []choice[[]plan.Claim]
		relays []choice[plan.Relay]
		twins  []choice[string]
	}
	build := func() any {
		relays := someRelays()
		return &shared{
			steady(), tombs(), orders(), claimPairs(),
			[]choice[plan.Relay]{relays[0], relays[4]},
			[]choice[string]{{"no guard", ""}, {"case twin at home", "twin"}},
		}
	}
	d := build().(*shared)
	return &space{
		name: "rowless order", shared: d, pristine: build, holds: invariants,
		dims: []int{len(d.tombs), len(d.orders), len(d.claims), len(d.relays), len(d.twins)},
		build: func(b *builder) bool {
			b.o, b.policy = d.base, daemon
			b.o.Row = nil
			tomb := pick(b, d.tombs)
			b.o.Tombstone, b.o.Home = tomb.stone, tomb.home
			b.o.Order = pick(b, d.orders)
			claim(b, pick(b, d.claims))
			b.o.Relay = pick(b, d.relays)
			guard(b, pick(b, d.twins))
			return consistent(&b.o)
		},
	}
}

// departureSpace asks about an end that is on record beside the row.
func departureSpace() *space {
	type shared struct {
		base    plan.Observation
		homes   []choice[*plan.Home]
		rows    []choice[*agent.Record]
		stones  []choice[*agent.Tombstone]
		states  []choice[*agent.State]
		claims  []choice[[]plan.Claim]
		relays  []choice[plan.Relay]
		guards  []choice[string]
		reviews []choice[review]
	}
	build := func() any {
		relays := someRelays()
		return &shared{
			steady(), homes(homePath), rows()[:4], stonesBeside(), someStates(), singleClaims(),
			[]choice[plan.Relay]{relays[0], relays[2], relays[3], relays[4]},
			guards()[:4], reviews(),
		}
	}
	d := build().(*shared)
	return &space{
		name: "departure", shared: d, pristine: build, holds: invariants,
		dims: []int{len(d.homes), len(d.rows), len(d.stones), len(d.states), len(d.claims), len(d.relays), len(d.guards), len(d.reviews)},
		build: func(b *builder) bool {
			b.o = d.base
			b.o.Home = pick(b, d.homes)
			b.o.Row = pick(b, d.rows)
			b.o.Tombstone = pick(b, d.stones)
			b.o.State = pick(b, d.states)
			claim(b, pick(b, d.claims))
			b.o.Relay = pick(b, d.relays)
			guard(b, pick(b, d.guards))
			r := pick(b, d.reviews)
			look(b, r.looked)
			b.policy = r.policy
			return true
		},
	}
}

// contestedSpace asks what is left to another writer, of a row in sync and of
// an orphan.
func contestedSpace() *space {
	type shared struct {
		base     plan.Observation
		homes    []choice[*plan.Home]
		rows     []choice[*agent.Record]
		contests []choice[map[string]string]
		states   []choice[*agent.State]
		stones   []choice[*agent.Tombstone]
		claims   []choice[[]plan.Claim]
		relays   []choice[plan.Relay]
	}
	build := func() any {
		return &shared{
			steady(), homes(homePath), rows(), contests(), someStates(),
			append(stonesBeside()[:1:1], choice[*agent.Tombstone]{"no tombstone", nil}), singleClaims(), someRelays(),
		}
	}
	d := build().(*shared)
	return &space{
		name: "contested", shared: d, pristine: build, holds: invariants,
		dims: []int{len(d.homes), len(d.rows), len(d.contests), len(d.states), len(d.stones), len(d.claims), len(d.relays)},
		build: func(b *builder) bool {
			b.o, b.policy = d.base, daemon
			b.o.Home = pick(b, d.homes)
			b.o.Row = pick(b, d.rows)
			b.o.Contested = pick(b, d.contests)
			b.o.State = pick(b, d.states)
			b.o.Tombstone = pick(b, d.stones)
			claim(b, pick(b, d.claims))
			b.o.Relay = pick(b, d.relays)
			return true
		},
	}
}

// pauseSpace asks whether what is switched off stays as it is, whatever there
// is to do.
func pauseSpace() *space {
	type shared struct {
		base   plan.Observation
		scenes []choice[*scene]
		stones []choice[*agent.Tombstone]
		claims []choice[[]plan.Claim]
		relays []choice[plan.Relay]
		orders []choice[plan.Order]
	}
	build := func() any {
		return &shared{
			steady(), scenes(), append(stonesBeside()[:1:1], choice[*agent.Tombstone]{"as it is", nil}), singleClaims(), someRelays(),
			append(orders()[3:5:5], choice[plan.Order]{"no order", plan.Order{}}),
		}
	}
	d := build().(*shared)
	return &space{
		name: "pause", shared: d, pristine: build, holds: whilePaused,
		dims: []int{len(d.scenes), len(d.stones), len(d.claims), len(d.relays), len(d.orders)},
		build: func(b *builder) bool {
			s := pick(b, d.scenes)
			b.o, b.policy = s.o, daemon
			b.o.Paused = true
			if stone := pick(b, d.stones); stone != nil && b.o.Row != nil {
				b.o.Tombstone = stone
			}
			claim(b, pick(b, d.claims))
			b.o.Relay = pick(b, d.relays)
			b.o.Order = pick(b, d.orders)
			return true
		},
	}
}

// claim sets the claims and, of those that were refused before, the problems.
func claim(b *builder, claims []plan.Claim) {
	b.o.Claims = claims
	for i := range claims {
		if claims[i].RefusedBefore {
			b.o.Problems = append(b.o.Problems, agent.Problem{
				Path: claims[i].Look.Path, Reason: agent.DuplicateID, ID: self, Message: "refused",
			})
		}
	}
}

// consistent prunes what cannot be seen together: a fresh look at a recorded
// path that is a claim too is one and the same look, and whoever moves while
// its old place carries the id has a claim there.
func consistent(o *plan.Observation) bool {
	if o.Home == nil {
		return true
	}
	l := &o.Home.Look
	for i := range o.Claims {
		if c := &o.Claims[i]; c.Look.Path == l.Path {
			return c.Look.Class == l.Class && c.Denied == o.Home.Denied && (c.Place.Problem == nil) == (o.Home.Place.Problem == nil)
		}
	}
	return len(o.Claims) == 0 || l.Class != agent.Present || l.Manifest.ID != o.ID
}
