package daemon

import (
	"time"

	"k8s.io/utils/clock"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// SystemClock is the machine's clocks: the only place where the program asks
// what time it is.
type SystemClock struct {
	clock.RealClock
	start time.Time
	boot  string // which boot this is, "" where it cannot be told
}

// NewClock reads which boot this is, once: it cannot change under a process.
func NewClock() SystemClock { return SystemClock{start: time.Now(), boot: bootID()} }

// Read returns wall time with its distance to the time since boot, which runs
// on while the machine sleeps, and the time for which it has been awake. Where
// the system does not tell, steps of the wall clock cannot be told from time.
func (c SystemClock) Read() (agent.Stamp, time.Duration) {
	wall := time.Now()
	booted, awake, ok := sinceBoot()
	if !ok {
		return agent.Stamp{Wall: wall.UTC()}, wall.Sub(c.start)
	}
	offset := time.Duration(wall.UnixNano()) - booted
	return agent.Stamp{Wall: wall.UTC(), BootID: c.boot, Offset: offset}, awake
}
