package world

import (
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Boot is the part of the clock that belongs to the machine: in a test nothing
// sleeps and nobody sets the clock unless the test says so.
type Boot struct {
	mu sync.Mutex
	id string
	// ahead is how far wall time is before the time that passes in the test.
	ahead time.Duration
	// step is how far the wall clock was set forward since the boot, slept how
	// long the machine was asleep.
	step, slept time.Duration
}

// NewBoot is a machine that was just started.
func NewBoot() *Boot { return &Boot{id: "boot-1"} }

// Now is the wall clock.
func (b *Boot) Now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Add(b.ahead + b.step + b.slept)
}

// SetNow makes t the time now, as if it had always been so. Files have real
// stamps: a test with a time of its own begins where they are.
func (b *Boot) SetNow(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ahead = time.Until(t) - b.step - b.slept
}

// Step sets the wall clock forward (or back).
func (b *Boot) Step(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.step += d
}

// Sleep lets the machine sleep: wall time passes, nothing else does.
func (b *Boot) Sleep(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slept += d
}

// Reboot starts the machine anew under another boot id.
func (b *Boot) Reboot(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.id = id
	b.ahead += b.step + b.slept
	b.step, b.slept = 0, 0
}

func (b *Boot) clock() testClock { return testClock{boot: b, began: time.Now()} }

// testClock is the boot's wall clock with timers that run on the time that
// passes in the test. A timer may so be early after a step: nobody may mind.
type testClock struct {
	clock.RealClock
	boot  *Boot
	began time.Time
}

func (c testClock) Now() time.Time                  { return c.boot.Now() }
func (c testClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Read says that the machine has been awake since the controller was made, but
// for sleep.
func (c testClock) Read() (agent.Stamp, time.Duration) {
	c.boot.mu.Lock()
	defer c.boot.mu.Unlock()
	awake := time.Since(c.began)
	wall := time.Now().Add(c.boot.ahead + c.boot.step + c.boot.slept)
	return agent.Stamp{Wall: wall, BootID: c.boot.id, Offset: c.boot.step}, awake
}
