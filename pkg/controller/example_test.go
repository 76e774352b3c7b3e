package controller_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mesh-registry/mesh-controller/pkg/clock"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/relay/maildir"
	"github.com/mesh-registry/mesh-controller/pkg/sources"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

// A program that embeds the controller wires the adapters itself: the tree of
// projects, the index under its lock, a relay. Run keeps them in line until its
// context ends; orders and questions may come from any goroutine meanwhile.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := embed(dir); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Registered helper in team, true
	// Updated Helga
	// refused: runtime "vim" is not known
	// Unregistered, 0 agents left
}

func embed(dir string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	project := filepath.Join(dir, "projects/team/app")
	if err := os.MkdirAll(project, 0o755); err != nil {
		return err
	}
	machine := clock.New()
	lock, err := store.Acquire(filepath.Join(dir, "mesh.db"))
	if err != nil {
		return err
	}
	defer lock.Release()
	index, err := store.Open(context.Background(), store.Options{Path: filepath.Join(dir, "mesh.db"), Lock: lock, Now: machine.Now})
	if err != nil {
		return err
	}
	defer index.Close()
	tree, err := sources.New(sources.DefaultOptions())
	if err != nil {
		return err
	}
	bus, err := maildir.New(maildir.Options{Dir: filepath.Join(dir, "relay"), Now: machine.Now})
	if err != nil {
		return err
	}
	defer bus.Close()

	o := controller.DefaultOptions()
	o.ScanRoots = []string{filepath.Join(dir, "projects")}
	c, err := controller.New(o, controller.Ports{Sources: tree, Index: index, Relay: bus, Clock: machine})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	err = give(ctx, c, project)
	stop()
	return errors.Join(err, <-ended)
}

func give(ctx context.Context, c *controller.Controller, project string) error {
	out, err := c.Register(ctx, controller.RegisterRequest{Path: project, Name: "helper", Runtime: "claude-code"})
	if err != nil {
		return err
	}
	fmt.Printf("%s %s in %s, %v\n", out.Reason, out.Agent.Name, out.Agent.Namespace, out.Agent.Endpoint)

	out, err = c.Update(ctx, controller.UpdateRequest{Target: string(out.ID), Set: []string{"name=Helga"}})
	if err != nil {
		return err
	}
	fmt.Println(out.Reason, out.Agent.Name)

	_, err = c.Register(ctx, controller.RegisterRequest{Path: project, Runtime: "vim", Force: true})
	if refused, ok := errors.AsType[*controller.Refusal](err); ok {
		fmt.Println("refused:", refused.Message) // and refused.Hint says what to do
	}

	out, err = c.Unregister(ctx, controller.UnregisterRequest{Target: project})
	if err != nil {
		return err
	}
	list, err := c.Agents(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d agents left\n", out.Reason, len(list.Agents))
	return nil
}
