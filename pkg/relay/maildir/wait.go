package maildir

import (
	"fmt"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// mustWait reports whether the mailbox may be open in a running DorkOS. It may
// be taken once that run is over: when none lives, or when another one does
// that began after the step was first asked for and so never opened it.
func (r *Relay) mustWait(s agent.Subject) bool {
	now, alive := r.dork.living()
	if !alive {
		delete(r.waiting, s)
		return false
	}
	first, asked := r.waiting[s]
	if !asked {
		r.waiting[s] = now
		return true
	}
	return !now.after(first)
}

// rulesWait is ErrDeferred while the rules of a namespace may be needed by a
// mailbox that waits.
func (r *Relay) rulesWait(batch []relay.Removal) error {
	if _, alive := r.dork.living(); !alive {
		return nil
	}
	waiting := map[string]bool{}
	for s := range r.waiting {
		waiting[namespaceOf(s)] = true
	}
	var occupied map[string]bool
	for _, b := range batch {
		if !b.SystemOnly && occupied == nil {
			var err error
			if occupied, err = r.occupied(); err != nil {
				return err
			}
		}
		if waiting[b.Namespace] || !b.SystemOnly && occupied[b.Namespace] {
			return fmt.Errorf("namespace %s: %w", b.Namespace, agent.ErrDeferred)
		}
	}
	return nil
}
