package sources

import (
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const (
	// shareFrom directories at the top of a root are visited by two walkers where
	// they are new or somebody waits: it is half kernel, half us, and a sidecar is
	// not to take a whole machine.
	// Below that starting a goroutine is not worth it.
	shareFrom = 8
	// coldHands are the walkers beside the first of each root, for all roots,
	// while the kernel has to fetch inodes from the disk. Each waits for the
	// disk in a thread of its own, and stays in it when the mount hangs: more
	// would be faster still, and too many threads on a mount that hangs.
	coldHands = 20
	// feelEvery directories it is asked whether they come from the disk, and
	// half as often after each time that they did not, but not less than every
	// feelRarely.
	feelEvery, feelRarely = 32, 1024
)

// crew is what the walkers of one root have in common.
type crew struct {
	hands   chan struct{} // taken by each helper, whatever its root
	helpers atomic.Int32
	entries atomic.Int64 // of directories
	full    atomic.Bool  // the bound of entries is reached

	// cold: looks are served by the disk and not from memory.
	cold   atomic.Bool
	every  atomic.Int32
	mu     sync.Mutex
	blocks func() int64 // that this process has read from disks so far
	before int64        // what it said last
}

func newCrew(hands chan struct{}, blocks func() int64) *crew {
	c := &crew{hands: hands, blocks: blocks, before: blocks()}
	c.every.Store(feelEvery)
	return c
}

// feel counts a directory and finds out now and then whether the inodes are in
// memory. Time would not tell: a busy machine makes every look slow.
func (w *walker) feel() {
	if w.unfelt++; w.unfelt < w.crew.every.Load() {
		return
	}
	w.crew.feel(int64(w.unfelt))
	w.unfelt = 0
}

func (c *crew) feel(looks int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.blocks()
	cold := now-c.before >= looks // a page of eight holds sixteen inodes or more
	c.before = now
	c.cold.Store(cold)
	if cold {
		c.every.Store(feelEvery)
	} else {
		c.every.Store(min(2*c.every.Load(), feelRarely))
	}
}

// blocksRead is in units of 512 bytes. A network file system does not count, so
// that it is walked as if from memory.
func blocksRead() int64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return u.Inblock
}

// wantsHelp reports whether another walker is to take from these directories,
// the first of which is in hand, and takes a hand for it. Mounts below the root
// are entered one at a time (see pulse.enter).
func (w *walker) wantsHelp(kids []node, depth int) bool {
	c := w.crew
	learning := depth == 0 && len(kids) >= shareFrom && c.helpers.Load() == 0 && runtime.GOMAXPROCS(0) > 1 &&
		(!w.terms.skim || kids[len(kids)-1].sweep == 0)
	if !learning && !c.cold.Load() || len(kids) < 2 || len(w.special) > 0 {
		return false
	}
	select {
	case c.hands <- struct{}{}:
		c.helpers.Add(1)
		return true
	default:
		return false
	}
}

func (c *crew) dismiss() {
	c.helpers.Add(-1)
	<-c.hands
}
