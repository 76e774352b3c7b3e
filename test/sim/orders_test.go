package sim

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// orders are what an operator says to the controller that runs.
var orders = map[string]func(context.Context, *controller.Controller, []string) error{
	"register": func(ctx context.Context, c *controller.Controller, a []string) error {
		req := controller.RegisterRequest{Path: a[0], Name: a[1], Runtime: "claude-code", Force: slices.Contains(a, "-force")}
		if slices.Contains(a, "-adopt") {
			req.Name, req.Runtime = "", ""
		}
		_, err := c.Register(ctx, req)
		return err
	},
	"update": func(ctx context.Context, c *controller.Controller, a []string) error {
		_, err := c.Update(ctx, controller.UpdateRequest{Target: a[0], Set: a[1:]})
		return err
	},
	"unregister": func(ctx context.Context, c *controller.Controller, a []string) error {
		_, err := c.Unregister(ctx, controller.UnregisterRequest{Target: a[0], AllCopies: len(a) > 1})
		return err
	},
	"adopt": func(ctx context.Context, c *controller.Controller, a []string) error {
		_, err := c.Adopt(ctx, a[0])
		return err
	},
	"reissue": func(ctx context.Context, c *controller.Controller, a []string) error {
		_, err := c.Reissue(ctx, a[0])
		return err
	},
	"restore": func(ctx context.Context, c *controller.Controller, a []string) error {
		_, err := c.Restore(ctx, agent.ID(a[0]))
		return err
	},
	"pause": func(ctx context.Context, c *controller.Controller, a []string) error {
		return c.Pause(ctx, strings.Join(a, ""))
	},
	"resume": func(ctx context.Context, c *controller.Controller, a []string) error {
		return c.Resume(ctx, strings.Join(a, ""))
	},
	"deny": func(ctx context.Context, c *controller.Controller, a []string) error {
		_, err := c.Deny(ctx, a[0])
		return err
	},
	"undeny": func(ctx context.Context, c *controller.Controller, a []string) error {
		_, err := c.Undeny(ctx, a[0])
		return err
	},
	"release": func(ctx context.Context, c *controller.Controller, a []string) error {
		_, err := c.Release(ctx, strings.Join(a, ""))
		return err
	},
	"sync": func(ctx context.Context, c *controller.Controller, a []string) error {
		_, err := c.Sync(ctx, controller.SyncRequest{Full: len(a) > 0})
		return err
	},
}

// orderWithin is how long an operator waits.
const orderWithin = 30

// order gives an order to the controller and waits for what comes of it.
func (w *world) order(word string, args []string) {
	l := w.life
	if l == nil {
		return
	}
	w.mu.Lock()
	scope := w.scope(word, args)
	began, faulty := w.machine.passed(), w.faults.armed()
	w.watch.found = w.disk.manifests()
	if len(scope.paths) > 0 || scope.id != "" {
		w.watch.order = scope
	}
	w.mu.Unlock()

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- orders[word](ctx, l.loop, args) }()
	err := w.outcome(done, cancel)

	w.mu.Lock()
	defer w.mu.Unlock()
	w.watch.order = nil
	_, refused := errors.AsType[*controller.Refusal](err)
	w.note("%s %s: %v", word, strings.Join(args, " "), err)
	same := sameFile
	if w.racedAt >= began {
		same = sameBytes // what was right to write may have had to be taken back
	}
	if (refused || err != nil && !faulty && !l.dead) && !maps.EqualFunc(w.watch.found, w.disk.manifests(), same) {
		w.fail("S6", "%s %s wrote a manifest in vain: %v", word, strings.Join(args, " "), err)
	}
	w.watch.looked()
}

func (w *world) outcome(done chan error, cancel context.CancelFunc) error {
	defer cancel()
	for range orderWithin {
		synctest.Wait()
		select {
		case err := <-done:
			return err
		default:
			w.pass(time.Second)
		}
	}
	cancel()
	return <-done
}

// target is the agent that an order means: an id that the index knows, or else
// the one that is called so.
func (w *world) target(word string) agent.ID {
	id := agent.ID(word)
	if v := w.db.view(id); v.Row != nil || v.State != nil || v.Tombstone != nil {
		return id
	}
	for other := range w.db.rows {
		if row := w.db.rows[other]; row.Name() == word {
			return other
		}
	}
	return id
}

// scope is where an order may write.
func (w *world) scope(word string, args []string) *order {
	o := &order{word: word}
	switch word {
	case "register", "reissue", "adopt":
		o.paths = append(o.paths, args[0])
	case "restore":
		o.paths = append(o.paths, w.db.graves[agent.ID(args[0])].Record.Path)
	case "update", "unregister":
		o.id = w.target(args[0])
		o.home = w.db.at(o.id)
		if word == "unregister" {
			w.watch.ordered[o.id] = true
		}
		if len(args) > 1 && word == "unregister" {
			for _, p := range w.disk.projects() {
				if w.disk.holds(p) == o.id {
					o.paths = append(o.paths, p)
				}
			}
		}
	}
	return o
}
