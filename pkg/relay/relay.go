// Package relay is the contract of a message relay: an endpoint per agent and
// access rules per namespace. Every backend keeps the same promises and passes
// relaytest.Run; the controller knows nothing else of any of them.
//
// Promises common to all methods: each may be called twice, or die half-way
// and be called again, with the effect of one whole call. Listings are
// complete, or there is an error. Only the exact four rules of a namespace and
// addresses of the form relay.agent.{namespace}.{id} are ever touched: every
// other rule keeps its bytes and its order, every other mailbox counts as
// nothing. Mail that was not fetched is moved, never deleted.
//
// While a DorkOS runs beside it, a backend does not move or remove a mailbox
// that DorkOS may have open: the call returns agent.ErrDeferred and changed
// nothing. Rules that cannot be read are agent.ErrDegraded: nothing is written.
package relay

import (
	"context"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Rules is what a namespace needs.
type Rules struct {
	Namespace string
	// System: a system agent lives in the namespace.
	System bool
}

// Removal is what a namespace no longer needs.
type Removal struct {
	Namespace string
	// SystemOnly: agents still live there, but no system agent does.
	SystemOnly bool
}

// Backend is one relay.
type Backend interface {
	// List returns every endpoint and the rules of every namespace, and the ids
	// whose endpoints or whose namespace's rules changed since the last List
	// (own successful writes are no change). The listing is immutable; where
	// nothing changed it is the same one. Rules that cannot be read make the
	// listing Degraded, they are not an error. That an endpoint is no longer
	// whole may be told up to a dozen Lists late: Endpoints always looks.
	List(ctx context.Context) (*agent.RelayListing, []agent.ID, error)

	// Endpoints looks at these subjects now and returns those that exist.
	Endpoints(ctx context.Context, subjects []agent.Subject) ([]agent.Endpoint, error)

	// NamespaceRules reads the rules of these namespaces now; agent.ErrDegraded
	// when they cannot be read.
	NamespaceRules(ctx context.Context, namespaces []string) (map[string]agent.RuleSet, error)

	// Occupied reports whether any endpoint, of whomever, stands in the
	// namespace.
	Occupied(ctx context.Context, namespace string) (bool, error)

	// EnsureRules adds what is missing, deny before allow, in one write for the
	// whole batch; nothing is written when nothing is missing. Rules of a batch
	// that are already there stay where they are.
	EnsureRules(ctx context.Context, batch []Rules) error

	// RemoveRules removes the exact rules, allow before deny, in one write.
	// Removing rules that are not there is not an error.
	RemoveRules(ctx context.Context, batch []Removal) error

	// EnsureEndpoint makes the address exist, whole.
	EnsureEndpoint(ctx context.Context, subject agent.Subject) error

	// Readdress makes next exist and carries all mail of old into it, then old
	// is gone. An absent old is no error: next exists afterwards.
	Readdress(ctx context.Context, old, next agent.Subject) error

	// Retire takes the address away and keeps its mail aside under the time at.
	// Retiring an absent address is not an error.
	Retire(ctx context.Context, subject agent.Subject, at time.Time) error

	// Restore carries mail that was kept aside for the id, under whatever
	// namespace, back into subject, which exists. Nothing kept is no error.
	Restore(ctx context.Context, id agent.ID, subject agent.Subject) error
}
