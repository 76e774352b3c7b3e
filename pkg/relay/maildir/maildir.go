package maildir

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Options of a relay.
type Options struct {
	// Dir is the relay's directory. It need not exist: absent is empty.
	Dir string
	// DorkHome is where a DorkOS that shares the relay announces itself
	// (instance.lock). "" means that there is none.
	DorkHome string
	// Now is the wall clock, needed only to tell which files are too young for
	// their stamps to be trusted. Required.
	Now func() time.Time
	// ReadOnly: nothing is written, not even to clear up after a crash. Only
	// what lists and looks may be called.
	ReadOnly bool
}

// Validate names the field that is wrong.
func (o Options) Validate() error {
	if o.Now == nil {
		return errors.New("now: a clock is required")
	}
	if !filepath.IsAbs(o.Dir) {
		return fmt.Errorf("dir: %q is not an absolute path", o.Dir)
	}
	if o.DorkHome != "" && !filepath.IsAbs(o.DorkHome) {
		return fmt.Errorf("dork home: %q is not an absolute path", o.DorkHome)
	}
	return nil
}

// Relay is a relay.Backend. It is safe for concurrent use.
type Relay struct {
	mailboxes, removed string
	now                func() time.Time
	replace            func(path string, expected, next []byte) error

	// gate is held by everything that writes, and by List: what it remembers
	// and what is on disk move together. Making mailboxes shares it, since that
	// is what a cold start consists of: mu guards what is remembered meanwhile. A
	// semaphore, so that waiting for it ends with the context.
	gate *semaphore.Weighted
	mu   sync.Mutex

	// Guarded by the gate.
	boxes   boxes
	rules   rulesFile
	known   knownRules
	keeping keeping
	listing *agent.RelayListing
	dork    dorkos
	waiting map[agent.Subject]instance // deferred steps, by the mailbox they would take
	check   secondLook

	shop *workshop // guarded by mu; nil while nobody makes mailboxes
}

// New makes a relay. It touches nothing on disk.
func New(o Options) (*Relay, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("maildir relay: %w", err)
	}
	return &Relay{
		mailboxes: filepath.Join(o.Dir, "mailboxes"),
		removed:   KeptDir(o.Dir),
		now:       o.Now,
		replace: func(path string, expected, next []byte) error {
			return atomicfile.Replace(path, expected, next, atomicfile.Options{})
		},
		gate:    semaphore.NewWeighted(alone),
		boxes:   newBoxes(),
		rules:   rulesFile{path: filepath.Join(o.Dir, "access-rules.json"), now: o.Now, recovered: o.ReadOnly},
		dork:    dorkos{home: o.DorkHome, proc: "/proc"},
		waiting: map[agent.Subject]instance{},
		check:   secondLook{delay: secondLookDelay},
	}, nil
}

// Close waits for what still runs in the background: at most a few second
// looks at the rules. A second call returns at once. Nothing else needs to be
// closed; a relay that was closed still answers, without second looks.
func (r *Relay) Close() error {
	if err := r.enter(context.Background()); err != nil {
		return err
	}
	r.check.closed = true
	r.leave()
	r.check.running.Wait()
	return nil
}

// alone is the whole gate.
const alone = 1 << 20

func (r *Relay) enter(ctx context.Context) error { return acquire(ctx, r.gate, alone) }

func (r *Relay) leave() { r.gate.Release(alone) }

// share enters beside others who make mailboxes.
func (r *Relay) share(ctx context.Context) error { return acquire(ctx, r.gate, 1) }

func (r *Relay) unshare() { r.gate.Release(1) }

// acquire prefers the end of ctx to a gate that is free.
func acquire(ctx context.Context, gate *semaphore.Weighted, weight int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return gate.Acquire(ctx, weight)
}

func (r *Relay) box(s agent.Subject) string { return r.mailboxes + "/" + string(s) }

// address refuses what is not an address of ours, before it becomes a path.
func address(s agent.Subject) error {
	if _, _, ok := agent.ParseSubject(string(s)); !ok {
		return fmt.Errorf("%q is not an agent's address", s)
	}
	return nil
}

func namespaceOf(s agent.Subject) string {
	ns, _, _ := agent.ParseSubject(string(s))
	return ns
}

// checkNamespace refuses what would be a pattern, or another namespace.
func checkNamespace(ns string) error {
	if !agent.IsNamespace(ns) {
		return fmt.Errorf("%q is not a namespace", ns)
	}
	return nil
}

// parts of a mailbox. tmp comes first: once it is gone no letter can begin.
var parts = [...]string{"tmp", "new", "cur", "failed"}

// errInTheWay: something that is no mailbox has the name of one.
var errInTheWay = errors.New("something that is not a directory is in the way; move it elsewhere")
