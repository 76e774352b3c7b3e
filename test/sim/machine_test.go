package sim

import (
	"strconv"
	"sync"
	"time"
	"unsafe"

	"k8s.io/utils/clock"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// machine is what the clocks belong to. Virtual time is its monotonic clock;
// the wall clock can be set, and time asleep passes on the wall only.
type machine struct {
	mu    sync.Mutex
	began time.Time
	boots int
	// Of this boot: steps of the wall clock, and sleep. before is what earlier
	// boots came to.
	step, slept, before time.Duration
	// asleep is all sleep since the beginning.
	asleep time.Duration
}

func newMachine() *machine { return &machine{began: time.Now()} }

// wall is what the wall clock shows, without a monotonic reading.
func (m *machine) wall() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.before + m.step + m.slept).UTC()
}

// passed is the time that really passed, sleep included, whatever the wall clock
// shows.
func (m *machine) passed() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Since(m.began) + m.asleep
}

func (m *machine) set(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.step += d
}

func (m *machine) sleep(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slept += d
	m.asleep += d
}

func (m *machine) reboot() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boots++
	m.before += m.step + m.slept
	m.step, m.slept = 0, 0
}

// processClock is the machine's clocks as one process sees them.
type processClock struct {
	clock.RealClock
	m     *machine
	began time.Time
}

// Read is part of controller.Clock.
func (c processClock) Read() (agent.Stamp, time.Duration) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	now := time.Now()
	return agent.Stamp{
		Wall:   now.Add(c.m.before + c.m.step + c.m.slept).UTC(),
		BootID: "boot-" + strconv.Itoa(c.m.boots),
		Offset: c.m.before + c.m.step,
	}, now.Sub(c.began)
}

// Now is wall time with a monotonic reading that neither a step nor sleep moves,
// as the kernel's is: timers depend on it.
func (c processClock) Now() time.Time {
	return withMonotonic(c.m.wall(), time.Since(c.m.began))
}

func (c processClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// heartbeatEvery is how often the delaying queue looks at its keys for no
// reason. The ten seconds that it asks for would be most of the work of a day.
const heartbeatEvery = 6 * time.Hour

// NewTicker is used for that heartbeat only.
func (c processClock) NewTicker(time.Duration) clock.Ticker {
	return c.RealClock.NewTicker(heartbeatEvery)
}

// instant is the layout of a time.Time. No function of package time makes one
// whose two readings go their own ways, and in a bubble there is only one.
type instant struct {
	wall uint64 // 1 bit: has a monotonic reading; 33 bits: seconds since 1885; 30 bits: ns
	ext  int64  // the monotonic reading
	loc  *time.Location
}

var secondsBegin = time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

// withMonotonic is the wall time t with a monotonic reading.
func withMonotonic(t time.Time, reading time.Duration) time.Time {
	i := (*instant)(unsafe.Pointer(&t))
	i.wall = 1<<63 | uint64(t.Unix()-secondsBegin)<<30 | uint64(t.Nanosecond())
	i.ext = int64(reading)
	return t
}
