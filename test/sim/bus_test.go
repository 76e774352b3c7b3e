package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
	"github.com/mesh-registry/mesh-controller/pkg/relay/memory"
)

// bus is the relay as one process sees it, with faults.
type bus struct {
	*life
	relay *memory.Relay
}

var _ relay.Backend = (*bus)(nil)

var errDown = errors.New("connection refused")

func (b *bus) open(call string) error {
	if err := b.enter(call, false); err != nil {
		return err
	}
	if b.busDown {
		return errDown
	}
	return nil
}

func (b *bus) change(call string, about any, do func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.act(call, fmt.Sprint(about), func() error {
		if b.busDown {
			return errDown
		}
		was := b.bus.Version()
		err := do()
		if b.bus.Version() != was {
			b.wrote("relay")
		}
		b.watch.letters(call)
		return err
	})
}

func (b *bus) List(ctx context.Context) (*agent.RelayListing, []agent.ID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.open("relay.List"); err != nil {
		return nil, nil, err
	}
	return b.relay.List(ctx)
}

func (b *bus) Endpoints(ctx context.Context, subjects []agent.Subject) ([]agent.Endpoint, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.open("relay.Endpoints"); err != nil {
		return nil, err
	}
	return b.relay.Endpoints(ctx, subjects)
}

func (b *bus) NamespaceRules(ctx context.Context, namespaces []string) (map[string]agent.RuleSet, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.open("relay.NamespaceRules"); err != nil {
		return nil, err
	}
	return b.relay.NamespaceRules(ctx, namespaces)
}

func (b *bus) Occupied(ctx context.Context, namespace string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.open("relay.Occupied"); err != nil {
		return false, err
	}
	return b.relay.Occupied(ctx, namespace)
}

func (b *bus) EnsureRules(ctx context.Context, batch []relay.Rules) error {
	return b.change("relay.EnsureRules", batch, func() error { return b.relay.EnsureRules(ctx, batch) })
}

func (b *bus) RemoveRules(ctx context.Context, batch []relay.Removal) error {
	return b.change("relay.RemoveRules", batch, func() error {
		b.watch.ungoverned(batch)
		return b.relay.RemoveRules(ctx, batch)
	})
}

func (b *bus) EnsureEndpoint(ctx context.Context, s agent.Subject) error {
	return b.change("relay.EnsureEndpoint", s, func() error {
		b.watch.comes(s)
		return b.relay.EnsureEndpoint(ctx, s)
	})
}

func (b *bus) Readdress(ctx context.Context, old, next agent.Subject) error {
	return b.change("relay.Readdress", [2]agent.Subject{old, next}, func() error {
		b.watch.comes(next)
		return b.relay.Readdress(ctx, old, next)
	})
}

func (b *bus) Retire(ctx context.Context, s agent.Subject, at time.Time) error {
	return b.change("relay.Retire", s, func() error {
		b.watch.retiring(s)
		return b.relay.Retire(ctx, s, at)
	})
}

func (b *bus) Restore(ctx context.Context, id agent.ID, s agent.Subject) error {
	return b.change("relay.Restore", s, func() error { return b.relay.Restore(ctx, id, s) })
}
