package sim

import (
	"fmt"
	"hash/fnv"
	"sync"
	"testing/synctest"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/relay/memory"
)

// Where things are.
const (
	managedHome = "/home/agents"
	eacces      = "EACCES"
)

// scanRoots are the configured roots; the second is a mount point.
var scanRoots = []string{"/r/a", "/r/b"}

// world is everything outside the controller, and the one that runs on it.
type world struct {
	mu      sync.Mutex
	machine *machine
	options controller.Options
	disk    *disk
	db      *database
	lock    lock
	backups map[string]*database
	stamps  int
	indexed int       // moves with every write to the index, whoever writes
	purged  time.Time // when the index last looked for old records
	bus     *memory.Relay
	busDown bool
	// addressed is what addresses found last.
	addressed addressed
	// dorkOS runs beside the relay.
	dorkOS bool
	// busBroken: the rules cannot be read.
	busBroken bool
	foreign   []agent.Rule // rules that users made
	faults    faults
	// racedAt is when somebody last acted between two calls.
	racedAt time.Duration
	watch   *watch
	life    *life
	seed    uint64
	// episodes so far.
	episodes episodes
	lives    uint64
	minted   int
	posted   int // letters, ever
	writes   map[string]int
	log      func(format string, args ...any)
	trace    trace
	// failed is the first invariant that did not hold.
	failed error
}

func newWorld(seed uint64, o controller.Options) *world {
	w := &world{
		machine: newMachine(), options: o, disk: newDisk(), db: newDatabase(), backups: map[string]*database{},
		bus: memory.New(), seed: seed, writes: map[string]int{}, episodes: episodes{}, log: func(string, ...any) {},
	}
	w.watch = newWatch(w)
	for _, p := range append([]string{managedHome, "/out"}, scanRoots...) {
		w.disk.make(p)
	}
	w.disk.plug("/r/b", "stick1")
	return w
}

// wrote counts what is written, by where.
func (w *world) wrote(where string) { w.writes[where]++ }

// fail records that an invariant of the failure model did not hold.
func (w *world) fail(invariant, format string, args ...any) {
	if w.failed == nil {
		w.failed = fmt.Errorf("%s: %s", invariant, fmt.Sprintf(format, args...))
	}
}

// note adds a line to the trace.
func (w *world) note(format string, args ...any) {
	line := fmt.Sprintf("%12s ", w.machine.passed().Round(time.Microsecond)) + fmt.Sprintf(format, args...)
	w.trace.add(line)
	w.log("%s", line)
}

// trace is all that happened, in short.
type trace struct {
	lines int
	sum   uint64
}

func (t *trace) add(line string) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d%s", t.sum, line)
	t.sum = h.Sum64()
	t.lines++
}

// Everybody wakes in a nanosecond of their own within each microsecond, so that
// no two goroutines that were woken ever run at one instant.
const (
	lane      = time.Microsecond
	userLane  = 700 * time.Nanosecond
	firstLane = 100 * time.Nanosecond
)

// await sleeps until a lane's next instant that is more than d away.
func (w *world) await(d, at time.Duration) {
	now := time.Since(w.machine.began)
	next := (now + d).Truncate(lane) + at
	if next <= now+d {
		next += lane
	}
	time.Sleep(next - now)
}

func (w *world) woken(who controller.Goroutine) {
	w.await(0, firstLane*time.Duration(who+1))
}

// pass lets time pass until everything has come to rest.
func (w *world) pass(d time.Duration) {
	w.await(d, userLane)
	synctest.Wait()
}
