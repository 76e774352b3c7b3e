// Package clock is the machine's clocks: the only place where anything asks what
// time it is. Everybody else is handed a time.
package clock

import (
	"time"

	"k8s.io/utils/clock"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// System is the machine's clocks, for controller.Ports.
type System struct {
	clock.RealClock
	start time.Time
	boot  string // which boot this is, "" where it cannot be told
}

// New reads which boot this is, once: it cannot change under a process.
func New() System { return System{start: time.Now(), boot: bootID()} }

// Read returns wall time with its distance to the time since boot, which runs
// on while the machine sleeps, and the time for which it has been awake. Where
// the system does not tell, steps of the wall clock cannot be told from time.
func (c System) Read() (agent.Stamp, time.Duration) {
	wall := time.Now()
	booted, awake, ok := sinceBoot()
	if !ok {
		return agent.Stamp{Wall: wall.UTC()}, wall.Sub(c.start)
	}
	offset := time.Duration(wall.UnixNano()) - booted
	return agent.Stamp{Wall: wall.UTC(), BootID: c.boot, Offset: offset}, awake
}
