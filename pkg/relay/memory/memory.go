package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// Relay is a relay.Backend, safe for concurrent use.
type Relay struct {
	world *world

	// Guarded by the world's lock: what the next List is expected to find.
	listing *agent.RelayListing
	seen    int // the world's version at the last List
	known   map[agent.Subject]bool
	rules   map[string]agent.RuleSet
	blind   bool // the rules could not be read, or were never
}

// New makes an empty relay.
func New() *Relay {
	return &Relay{world: &world{boxes: map[agent.Subject]*mailbox{}, waiting: map[agent.Subject]int{}}, blind: true}
}

// Reopen is another relay over the same mailboxes and rules, as after a
// restart.
func (r *Relay) Reopen() *Relay { return &Relay{world: r.world, blind: true} }

// world is what would be on disk.
type world struct {
	mu      sync.Mutex
	boxes   map[agent.Subject]*mailbox
	kept    []keptBox
	rules   []agent.Rule
	writes  int
	version int // moves with everything that is stored
	broken  string
	run     int // the DorkOS that is running; 0 for none
	lastRun int
	waiting map[agent.Subject]int
}

type mailbox struct {
	half    bool
	letters map[string]string
}

type keptBox struct {
	subject agent.Subject
	at      time.Time
	letters map[string]string
}

// lock refuses a context that is over.
func (r *Relay) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.world.mu.Lock()
	return nil
}

func (r *Relay) unlock() { r.world.mu.Unlock() }

func address(s agent.Subject) error {
	if _, _, ok := agent.ParseSubject(string(s)); !ok {
		return fmt.Errorf("%q is not an agent's address", s)
	}
	return nil
}

// EnsureEndpoint implements relay.Backend.
func (r *Relay) EnsureEndpoint(ctx context.Context, s agent.Subject) error {
	if err := address(s); err != nil {
		return err
	}
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	delete(r.world.waiting, s)
	return r.ensure(s)
}

func (r *Relay) ensure(s agent.Subject) error {
	b := r.world.boxes[s]
	if b == nil {
		for other := range r.world.boxes {
			if strings.EqualFold(string(other), string(s)) {
				return fmt.Errorf("%s differs only in letter case from %s", s, other)
			}
		}
		b = &mailbox{letters: map[string]string{}, half: true}
		r.world.boxes[s] = b
	}
	if b.half {
		b.half = false
		r.world.version++
	}
	if r.known != nil {
		r.known[s] = true
	}
	return nil
}

// Endpoints implements relay.Backend.
func (r *Relay) Endpoints(ctx context.Context, subjects []agent.Subject) ([]agent.Endpoint, error) {
	if err := r.lock(ctx); err != nil {
		return nil, err
	}
	defer r.unlock()
	var list []agent.Endpoint
	for _, s := range subjects {
		if b := r.world.boxes[s]; b != nil {
			list = append(list, endpoint(s, b))
		}
	}
	return list, nil
}

func endpoint(s agent.Subject, b *mailbox) agent.Endpoint {
	return agent.Endpoint{Subject: s, Whole: !b.half, In: "memory:"}
}

// Occupied implements relay.Backend.
func (r *Relay) Occupied(ctx context.Context, namespace string) (bool, error) {
	if err := r.lock(ctx); err != nil {
		return false, err
	}
	defer r.unlock()
	return r.world.occupied(namespace), nil
}

func (w *world) occupied(namespace string) bool {
	for s := range w.boxes {
		if ns, _, _ := agent.ParseSubject(string(s)); ns == namespace {
			return true
		}
	}
	return false
}

// mustWait reports whether the DorkOS that runs may have the mailbox open.
func (w *world) mustWait(s agent.Subject) bool {
	first, asked := w.waiting[s]
	switch {
	case w.run == 0:
		return false
	case !asked:
		w.waiting[s] = w.run
		return true
	}
	return w.run <= first
}

// Readdress implements relay.Backend.
func (r *Relay) Readdress(ctx context.Context, old, next agent.Subject) error {
	for _, s := range []agent.Subject{old, next} {
		if err := address(s); err != nil {
			return err
		}
	}
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	if err := r.ensure(next); err != nil {
		return err
	}
	b := r.world.boxes[old]
	if b == nil || old == next {
		return nil
	}
	if r.world.mustWait(old) {
		return fmt.Errorf("readdress %s: %w", old, agent.ErrDeferred)
	}
	merge(r.world.boxes[next].letters, b.letters)
	r.take(old)
	return nil
}

// Retire implements relay.Backend.
func (r *Relay) Retire(ctx context.Context, s agent.Subject, at time.Time) error {
	if err := address(s); err != nil {
		return err
	}
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	b := r.world.boxes[s]
	if b != nil && r.world.mustWait(s) {
		return fmt.Errorf("retire %s: %w", s, agent.ErrDeferred)
	}
	if b != nil && len(b.letters) > 0 {
		r.world.kept = append(r.world.kept, keptBox{s, at, b.letters})
	}
	r.take(s)
	return nil
}

func (r *Relay) take(s agent.Subject) {
	if r.world.boxes[s] != nil {
		r.world.version++
	}
	delete(r.world.boxes, s)
	delete(r.world.waiting, s)
	delete(r.known, s)
}

// Restore implements relay.Backend.
func (r *Relay) Restore(ctx context.Context, id agent.ID, s agent.Subject) error {
	if _, of, ok := agent.ParseSubject(string(s)); !ok || of != id {
		return fmt.Errorf("%q is not an address of %s", s, id)
	}
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	var others, mine []keptBox
	for _, k := range r.world.kept {
		if _, of, _ := agent.ParseSubject(string(k.subject)); of == id {
			mine = append(mine, k)
		} else {
			others = append(others, k)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	if err := r.ensure(s); err != nil {
		return err
	}
	slices.SortStableFunc(mine, func(a, b keptBox) int { return a.at.Compare(b.at) })
	for _, k := range mine {
		merge(r.world.boxes[s].letters, k.letters)
	}
	r.world.kept = others
	r.world.version++
	return nil
}

// merge moves letters; one whose name is taken gets another.
func merge(into, from map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		free := name
		for n := 2; ; n++ {
			if _, taken := into[free]; !taken {
				break
			}
			free = fmt.Sprintf("%s-%d", name, n)
		}
		into[free] = from[name]
	}
}

var _ relay.Backend = (*Relay)(nil)
