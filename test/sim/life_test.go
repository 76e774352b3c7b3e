package sim

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// life is one process: a controller and what it keeps in memory. What outlives
// it is the world's.
type life struct {
	*world
	dead   bool
	random *rand.Rand // a dying process draws who knows how often
	loop   *controller.Controller
	cancel context.CancelFunc
	done   chan error
}

// start starts a controller where none runs.
func (w *world) start() {
	if w.life != nil {
		return
	}
	w.lives++
	l := &life{world: w, done: make(chan error, 1), random: rand.New(rand.NewPCG(w.seed, w.lives))}
	w.watch.began()
	loop, err := controller.New(w.options, controller.Ports{
		Sources: &files{life: l},
		Index:   newIndex(l),
		Relay:   &bus{life: l, relay: w.bus.Reopen()},
		Clock:   processClock{m: w.machine, began: time.Now()},
		NewID:   w.mint,
		Jitter:  l.jitter,
		Woken:   w.woken,
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.loop, l.cancel = loop, cancel
	w.life = l
	go func() { l.done <- loop.Run(ctx) }()
}

// stop ends the controller as a signal does.
func (w *world) stop() {
	l := w.life
	if l == nil {
		return
	}
	w.life = nil
	l.cancel()
	<-l.done
}

// crash throws the controller and all its memory away.
func (w *world) crash() {
	if w.life == nil {
		return
	}
	w.mu.Lock()
	w.life.dead = true
	w.lock.unclean = true
	w.mu.Unlock()
	w.stop()
}

func (w *world) mint(time.Time) agent.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.minted++
	return agent.ID("N" + itoa(w.minted))
}

// jitter is whole milliseconds: who is woken by it wakes in the lane of whoever
// drew it.
func (l *life) jitter(n int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	const grain = int64(time.Millisecond)
	return l.random.Int64N(max(n/grain, 1)) * grain
}
