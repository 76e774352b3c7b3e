package memory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

func namespace(ns string) error {
	if !agent.IsNamespace(ns) {
		return fmt.Errorf("%q is not a namespace", ns)
	}
	return nil
}

func four(ns string) []agent.Rule { return append(agent.BaseRules(ns), agent.SystemRules(ns)...) }

// degraded is the error of every method that needs the rules.
func (w *world) degraded() error {
	if w.broken == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", agent.ErrDegraded, w.broken)
}

// set tells which of the four are there.
func (w *world) set(ns string) agent.RuleSet {
	var have [4]bool
	for i, rule := range four(ns) {
		have[i] = slices.Contains(w.rules, rule)
	}
	return agent.RuleSet{Deny: have[0], Allow: have[1], SystemOut: have[2], SystemIn: have[3]}
}

func (w *world) sets() map[string]agent.RuleSet {
	sets := map[string]agent.RuleSet{}
	for _, rule := range w.rules {
		for _, pattern := range []string{rule.From, rule.To} {
			ns := strings.TrimSuffix(strings.TrimPrefix(pattern, "relay.agent."), ".*")
			if namespace(ns) == nil && w.set(ns).Any() {
				sets[ns] = w.set(ns)
			}
		}
	}
	return sets
}

// NamespaceRules implements relay.Backend.
func (r *Relay) NamespaceRules(ctx context.Context, namespaces []string) (map[string]agent.RuleSet, error) {
	if err := r.lock(ctx); err != nil {
		return nil, err
	}
	defer r.unlock()
	if err := r.world.degraded(); err != nil {
		return nil, err
	}
	sets := map[string]agent.RuleSet{}
	for _, ns := range namespaces {
		sets[ns] = r.world.set(ns)
	}
	return sets, nil
}

// EnsureRules implements relay.Backend.
func (r *Relay) EnsureRules(ctx context.Context, batch []relay.Rules) error {
	var rules []agent.Rule
	for _, b := range batch {
		if err := namespace(b.Namespace); err != nil {
			return err
		}
		rules = append(rules, agent.BaseRules(b.Namespace)...)
		if b.System {
			rules = append(rules, agent.SystemRules(b.Namespace)...)
		}
	}
	return r.edit(ctx, rules, func(next []agent.Rule) ([]agent.Rule, error) {
		for _, rule := range rules {
			if !slices.Contains(next, rule) {
				next = slices.Insert(next, place(next, rule.Priority), rule)
			}
		}
		return next, nil
	})
}

// place is behind the last rule whose priority is not lower.
func place(rules []agent.Rule, priority int) int {
	for i, rule := range slices.Backward(rules) {
		if rule.Priority >= priority {
			return i + 1
		}
	}
	return 0
}

// RemoveRules implements relay.Backend.
func (r *Relay) RemoveRules(ctx context.Context, batch []relay.Removal) error {
	var rules []agent.Rule
	for _, b := range batch {
		if err := namespace(b.Namespace); err != nil {
			return err
		}
		rules = append(rules, agent.SystemRules(b.Namespace)...)
		if !b.SystemOnly {
			rules = append(rules, agent.BaseRules(b.Namespace)...)
		}
	}
	return r.edit(ctx, rules, func(next []agent.Rule) ([]agent.Rule, error) {
		if err := r.world.rulesWait(batch); err != nil {
			return nil, err
		}
		return slices.DeleteFunc(next, func(rule agent.Rule) bool { return slices.Contains(rules, rule) }), nil
	})
}

func (w *world) rulesWait(batch []relay.Removal) error {
	for _, b := range batch {
		wait := !b.SystemOnly && w.occupied(b.Namespace)
		for s := range w.waiting {
			ns, _, _ := agent.ParseSubject(string(s))
			wait = wait || ns == b.Namespace
		}
		if wait && w.run != 0 {
			return fmt.Errorf("rules of %s: %w", b.Namespace, agent.ErrDeferred)
		}
	}
	return nil
}

// edit is one write, or none where nothing changes. Of what is known only the
// bits of the rules that it is about move: another's change is still reported.
func (r *Relay) edit(ctx context.Context, about []agent.Rule, change func([]agent.Rule) ([]agent.Rule, error)) error {
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	if err := r.world.degraded(); err != nil {
		return err
	}
	next, err := change(slices.Clone(r.world.rules))
	if err != nil {
		return err
	}
	if !slices.Equal(next, r.world.rules) {
		r.world.rules = next
		r.world.writes++
		r.world.version++
	}
	if r.rules != nil {
		for _, rule := range about {
			r.learn(rule)
		}
	}
	return nil
}

func (r *Relay) learn(rule agent.Rule) {
	for _, pattern := range []string{rule.From, rule.To} {
		ns := strings.TrimSuffix(strings.TrimPrefix(pattern, "relay.agent."), ".*")
		i := slices.Index(four(ns), rule)
		if namespace(ns) != nil || i < 0 {
			continue
		}
		now, set := r.world.set(ns), r.rules[ns]
		switch i {
		case 0:
			set.Deny = now.Deny
		case 1:
			set.Allow = now.Allow
		case 2:
			set.SystemOut = now.SystemOut
		case 3:
			set.SystemIn = now.SystemIn
		}
		r.rules[ns] = set
	}
}
