package maildir

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// keeping remembers whose mail lies in removed/: one stat while nothing comes
// or goes there.
type keeping struct {
	stamp   stamp
	settled bool
	ids     map[agent.ID]bool // replaced, never changed: listings carry it
}

func (k *keeping) refresh(path string, now time.Time) error {
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	if absent(err) {
		*k = keeping{}
		return nil
	}
	at := stampOf(&st)
	if err == nil && k.settled && at == k.stamp {
		return nil
	}
	entries, err := readDir(path)
	if err != nil {
		return err
	}
	next := keeping{stamp: at, settled: at.settled(now)}
	for _, e := range entries {
		if id, _, ok := kept(e.Name()); ok && e.IsDir() {
			if next.ids == nil {
				next.ids = map[agent.ID]bool{}
			}
			next.ids[id] = true
		}
	}
	*k = next
	return nil
}
