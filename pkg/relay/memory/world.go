package memory

import (
	"fmt"
	"maps"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Deliver puts a letter into a mailbox, as a sender does. It reports false
// where there is no such mailbox.
func (r *Relay) Deliver(s agent.Subject, name, content string) bool {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	b := r.world.boxes[s]
	if b != nil {
		b.letters[name] = content
		r.world.version++
	}
	return b != nil
}

// Mail is what a mailbox holds, by the letters' names.
func (r *Relay) Mail(s agent.Subject) map[string]string {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	if b := r.world.boxes[s]; b != nil {
		return maps.Clone(b.letters)
	}
	return nil
}

// Kept counts the letters that are kept aside.
func (r *Relay) Kept() (n int) {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	for _, k := range r.world.kept {
		n += len(k.letters)
	}
	return n
}

// Rules are all rules in their order.
func (r *Relay) Rules() []agent.Rule {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	return slices.Clone(r.world.rules)
}

// SetRules replaces all rules, as another writer does.
func (r *Relay) SetRules(rules []agent.Rule) {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	r.world.rules = slices.Clone(rules)
	r.world.version++
}

// Writes counts how often this relay, or one reopened from it, wrote the rules.
func (r *Relay) Writes() int {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	return r.world.writes
}

// Break makes the rules unreadable; "" makes them readable again.
func (r *Relay) Break(problem string) {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	r.world.broken = problem
	r.world.version++
}

// Vanish removes a mailbox with its mail, as a clumsy hand does.
func (r *Relay) Vanish(s agent.Subject) {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	delete(r.world.boxes, s)
	r.world.version++
}

// Damage makes a mailbox half.
func (r *Relay) Damage(s agent.Subject) {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	if b := r.world.boxes[s]; b != nil {
		b.half = true
		r.world.version++
	}
}

// DorkOS starts a DorkOS beside the relay, anew if one is running, or stops it.
func (r *Relay) DorkOS(running bool) {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	r.world.run = 0
	if running {
		r.world.lastRun++
		r.world.run = r.world.lastRun
	} else {
		clear(r.world.waiting)
	}
}

// Version moves with everything that is stored, whoever changes it.
func (r *Relay) Version() int {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	return r.world.version
}

// String is everything that is stored, in a stable order.
func (r *Relay) String() string {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	boxes := map[agent.Subject]mailbox{}
	for s, b := range r.world.boxes {
		boxes[s] = *b
	}
	return fmt.Sprint(boxes, r.world.kept, r.world.rules)
}
