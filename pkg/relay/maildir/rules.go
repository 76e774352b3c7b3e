package maildir

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// maxEdits bounds how often an edit starts over because somebody else wrote
// the file meanwhile.
const maxEdits = 20

// NamespaceRules implements relay.Backend. A namespace without rules is in the
// result too.
func (r *Relay) NamespaceRules(ctx context.Context, namespaces []string) (map[string]agent.RuleSet, error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	r.rules.refresh()
	if r.rules.problem != "" {
		return nil, fmt.Errorf("%w: %s", agent.ErrDegraded, r.rules.problem)
	}
	sets := make(map[string]agent.RuleSet, len(namespaces))
	for _, ns := range namespaces {
		sets[ns] = r.rules.sets[ns]
	}
	return sets, nil
}

// EnsureRules implements relay.Backend. A rule that somebody annotated with
// keys of his own counts as present.
//
// Beside a running DorkOS, which writes the file from its memory, a second look
// half a second later adds again what was lost; Close waits for it.
func (r *Relay) EnsureRules(ctx context.Context, batch []relay.Rules) error {
	var rules []agent.Rule
	for _, b := range batch {
		if err := checkNamespace(b.Namespace); err != nil {
			return fmt.Errorf("ensure rules: %w", err)
		}
		rules = append(rules, needed(b)...)
	}
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	wrote, err := r.edit(ctx, func(d *document) *document { return d.add(rules) })
	if err != nil {
		return fmt.Errorf("ensure rules: %w", err)
	}
	for i := range rules {
		r.known.added(part(&rules[i]))
	}
	if wrote {
		r.lookAgain(rules)
	}
	return nil
}

// RemoveRules implements relay.Backend. Rules that somebody annotated with keys
// of his own are his: they stay, and that is no error.
//
// While a DorkOS runs, the rules of a namespace in which a mailbox still stands
// (or waits to be moved) stay: agent.ErrDeferred for the whole batch, and
// nothing was changed.
func (r *Relay) RemoveRules(ctx context.Context, batch []relay.Removal) error {
	var rules []agent.Rule
	for _, b := range batch {
		if err := checkNamespace(b.Namespace); err != nil {
			return fmt.Errorf("remove rules: %w", err)
		}
		rules = append(rules, agent.SystemRules(b.Namespace)...)
		if !b.SystemOnly {
			rules = append(rules, agent.BaseRules(b.Namespace)...)
		}
	}
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	if err := r.rulesWait(batch); err != nil {
		return fmt.Errorf("remove rules: %w", err)
	}
	r.check.forget(rules)
	var stays map[agent.Rule]bool
	_, err := r.edit(ctx, func(d *document) *document {
		stays = d.annotated()
		return d.remove(rules)
	})
	if err != nil {
		return fmt.Errorf("remove rules: %w", err)
	}
	for i := range rules {
		if !stays[rules[i]] {
			r.known.gone(part(&rules[i]))
		}
	}
	return nil
}

func needed(b relay.Rules) []agent.Rule {
	rules := agent.BaseRules(b.Namespace)
	if b.System {
		rules = append(rules, agent.SystemRules(b.Namespace)...)
	}
	return rules
}

// edit rewrites the file once, from what it holds now; nothing is written
// where nothing changes. Somebody else's write in between starts it over.
func (r *Relay) edit(ctx context.Context, change func(*document) *document) (wrote bool, err error) {
	for range maxEdits {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		d, err := r.rules.load()
		if err != nil {
			return false, err
		}
		next := change(d)
		if next == d {
			return false, nil
		}
		err = r.write(d, next)
		if !errors.Is(err, atomicfile.ErrChanged) {
			return err == nil, err
		}
	}
	return false, fmt.Errorf("%s is rewritten by somebody else all the time", r.rules.path)
}

func (r *Relay) write(from, next *document) error {
	if from.absent {
		if err := makeDirs(filepath.Dir(r.rules.path)); err != nil {
			return err
		}
	}
	r.rules.settled = false
	if err := r.replace(r.rules.path, from.expected(), next.raw); err != nil {
		return err
	}
	r.rules.hold(next)
	return nil
}
