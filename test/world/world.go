// Package world is a home with everything real in it (directories, manifests, a
// SQLite index, a maildir relay) and a controller on it whose clock a test
// holds. Stories, samples and hostile trees are told in it.
package world

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
	"github.com/mesh-registry/mesh-controller/pkg/relay/maildir"
	"github.com/mesh-registry/mesh-controller/pkg/sources"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

// World is one home and the projects beside it.
type World struct {
	t testing.TB
	// Dir holds Home and Projects.
	Dir, Home, Projects string
	// Options of the next Start.
	Options controller.Options
	// Boot of the machine that the clock belongs to.
	Boot *Boot
	Log  *zap.Logger
	// Wrap, when set, stands between the controller and its adapters: where a
	// test injects faults.
	Wrap func(*controller.Ports)

	run *run
}

// run is one started controller.
type run struct {
	loop   *controller.Controller
	store  *store.Store
	lock   *store.Lock
	relay  *maildir.Relay
	cancel context.CancelFunc
	done   chan error
}

// New makes an empty home in a temporary directory.
func New(t testing.TB) *World {
	t.Helper()
	return At(t, t.TempDir())
}

// At uses dir/home and dir/projects, made where they are missing.
func At(t testing.TB, dir string) *World {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &World{
		t: t, Dir: dir, Home: filepath.Join(dir, "home"), Projects: filepath.Join(dir, "projects"),
		Options: controller.DefaultOptions(), Boot: NewBoot(), Log: zap.NewNop(),
	}
	for _, d := range []string{w.Home, w.Projects} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.Options.ManagedHome = filepath.Join(w.Home, "agents")
	w.Options.ScanRoots = []string{w.Projects}
	t.Cleanup(w.Stop)
	return w
}

// Start opens everything and runs the controller. A second Start after Stop is
// a restart.
func (w *World) Start() {
	w.t.Helper()
	if w.run != nil {
		w.t.Fatal("it runs already")
	}
	path := store.DefaultPath(w.Home)
	lock, err := store.Acquire(path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.run = &run{lock: lock, done: make(chan error, 1)}
	w.run.store, err = store.Open(context.Background(), store.Options{Path: path, Lock: lock, Now: w.Boot.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.run.relay, err = maildir.New(maildir.Options{Dir: filepath.Join(w.Home, "relay"), DorkHome: w.Home, Now: w.Boot.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.run.loop = w.controller(w.run.store, w.run.relay, w.Options)
	ctx, cancel := context.WithCancel(context.Background())
	w.run.cancel = cancel
	loop, done := w.run.loop, w.run.done
	go func() { done <- loop.Run(ctx) }()
}

func (w *World) controller(index controller.Index, backend relay.Backend, o controller.Options) *controller.Controller {
	w.t.Helper()
	so := sources.DefaultOptions()
	so.ManagedHome = o.ManagedHome
	tree, err := sources.New(so)
	if err != nil {
		w.t.Fatal(err)
	}
	ports := controller.Ports{
		Sources: tree, Index: index, Relay: backend,
		Clock: w.Boot.clock(), Log: w.Log,
	}
	if w.Wrap != nil {
		w.Wrap(&ports)
	}
	loop, err := controller.New(o, ports)
	if err != nil {
		w.t.Fatal(err)
	}
	return loop
}

// Stop ends the controller as a signal would. Stopping twice is no error.
func (w *World) Stop() {
	if w.run == nil {
		return
	}
	w.run.cancel()
	if err := <-w.run.done; err != nil {
		w.t.Errorf("run: %v", err)
	}
	w.close()
}

func (w *World) close() {
	if err := w.run.store.Close(); err != nil {
		w.t.Errorf("close the index: %v", err)
	}
	if err := w.run.relay.Close(); err != nil {
		w.t.Errorf("close the relay: %v", err)
	}
	if err := w.run.lock.Release(); err != nil {
		w.t.Errorf("release the lock: %v", err)
	}
	w.run = nil
}

// Running reports whether a controller runs.
func (w *World) Running() bool { return w.run != nil }

// Store is the running controller's index.
func (w *World) Store() *store.Store { return w.run.store }

// Loop is the running controller.
func (w *World) Loop() *controller.Controller { return w.run.loop }

// Sync makes one acknowledged resync: through the running controller, or as a
// one-shot when none runs.
func (w *World) Sync(targets ...string) controller.SyncResult {
	w.t.Helper()
	if w.run == nil {
		o := w.Options
		w.Options.OneShot = true
		defer func() { w.Options = o }()
		w.Start()
		defer w.Stop()
	}
	result, err := w.run.loop.Sync(w.t.Context(), controller.SyncRequest{Targets: targets})
	if err != nil {
		w.t.Fatalf("sync: %v", err)
	}
	return result
}

// View opens the home read-only, beside a running controller or without one.
func (w *World) View(f func(*controller.Controller)) {
	w.t.Helper()
	index, err := store.Open(w.t.Context(), store.Options{Path: store.DefaultPath(w.Home), ReadOnly: true, Now: w.Boot.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	defer index.Close()
	backend, err := maildir.New(maildir.Options{Dir: filepath.Join(w.Home, "relay"), DorkHome: w.Home, Now: w.Boot.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	defer backend.Close()
	o := w.Options
	o.OneShot, o.ReadOnly = true, true
	c := w.controller(index, backend, o)
	// Its queue ends with it, as the process of a view would.
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	defer func() {
		if err := c.Run(ended); err != nil {
			w.t.Errorf("end a view: %v", err)
		}
	}()
	f(c)
}

// Plan says what would be done.
func (w *World) Plan(at time.Time, targets ...string) (result controller.PlanResult) {
	w.t.Helper()
	w.View(func(c *controller.Controller) {
		var err error
		if result, err = c.Plan(w.t.Context(), controller.PlanRequest{Targets: targets, At: at}); err != nil {
			w.t.Fatalf("plan: %v", err)
		}
	})
	return result
}

// Agents lists how things stand.
func (w *World) Agents() (result controller.AgentsResult) {
	w.t.Helper()
	w.View(func(c *controller.Controller) {
		var err error
		if result, err = c.Agents(w.t.Context()); err != nil {
			w.t.Fatalf("agents: %v", err)
		}
	})
	return result
}
