package sources

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// walker goes through directories, one at a time. It owns everything that it
// writes to, so that it can be left behind on a mount that hangs.
type walker struct {
	reader
	pulse    *pulse
	crew     *crew
	guard    *guard
	terms    terms
	special  map[string]specialPlace // below the root
	report   agent.RootReport
	lacking  int    // reasons why the root is incomplete
	path     []byte // of the directory in hand, "" for "/"
	chain    []agent.FileID
	names    []string
	interned map[string]string
	counts   uint64 // the device whose directories count theirs, see countsDirectories; 0 for none

	likely bool  // the last manifest that was tried could be opened
	unfelt int32 // directories, see feel

	tally
}

// terms of a sweep are the same for everything that it looks at.
type terms struct {
	number  uint32 // of the sweep
	now     time.Time
	reread  bool  // every directory and every manifest
	skim    bool  // look into projects in turns
	slot    uint8 // the part that is scrubbed
	slots   uint8 // 0: none is
	depth   int
	bound   int64
	managed string
	edited  func(agent.ID)
}

// place addresses the directory in hand: w.path[off:] relative to fd.
type place struct{ fd, off int }

// inside is the place of whatever lies in the directory that fd is open on.
func (w *walker) inside(fd int) place { return place{fd, len(w.path) + 1} }

// name is that of the directory in hand or, with a suffix, of something in it,
// relative to at.fd. It ends in NUL and holds until the path changes.
func (w *walker) name(at place, suffix string) *byte {
	end := len(w.path)
	if at.off > end && suffix == "" {
		suffix = "/." // the descriptor is the directory's own
	}
	w.path = append(append(w.path, suffix...), 0)
	name := unsafe.SliceData(w.path[at.off:])
	w.path = w.path[:end]
	return name
}

// stat looks at the directory in hand or, with a suffix, at something in it. A
// link at the end is not followed.
func (w *walker) stat(at place, suffix string) error {
	w.stats++
	if errno := rawStatx(at.fd, w.name(at, suffix), unix.AT_SYMLINK_NOFOLLOW, &w.st); errno != 0 {
		return errno
	}
	return nil
}

func (w *walker) fullPath() string {
	if len(w.path) == 0 {
		return "/"
	}
	return string(w.path)
}
