package maildir

import (
	"cmp"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// keeping remembers whose mail lies in removed/: one stat while nothing comes
// or goes there. What this process puts there or takes away it knows without
// looking, so that ten thousand agents that return at once do not each read the
// whole directory.
type keeping struct {
	stamp   stamp
	settled bool
	ids     map[agent.ID]bool // replaced, never changed: listings carry it
	// names of the kept mailboxes of an id; nil: nobody has looked.
	names map[agent.ID][]string
}

func (k *keeping) refresh(path string, now time.Time) error {
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	if absent(err) {
		*k = keeping{names: map[agent.ID][]string{}}
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
	next := keeping{stamp: at, settled: at.settled(now), names: map[agent.ID][]string{}}
	for _, e := range entries {
		if id, _, ok := kept(e.Name()); ok && e.IsDir() {
			if next.ids == nil {
				next.ids = map[agent.ID]bool{}
			}
			next.ids[id] = true
			next.names[id] = append(next.names[id], e.Name())
		}
	}
	*k = next
	return nil
}

// of lists the kept mailboxes of an id, the oldest first.
func (k *keeping) of(id agent.ID) []string {
	names := slices.Clone(k.names[id])
	slices.SortFunc(names, func(a, b string) int {
		_, sa, _ := kept(a)
		_, sb, _ := kept(b)
		return cmp.Compare(sa, sb)
	})
	return names
}

// put and taken are own changes: the next refresh reads the directory anew
// whatever they say.
func (k *keeping) put(name string) {
	if id, _, ok := kept(name); ok && k.names != nil {
		k.names[id] = append(k.names[id], name)
	}
}

func (k *keeping) taken(id agent.ID, name string) {
	k.names[id] = slices.DeleteFunc(k.names[id], func(n string) bool { return n == name })
}
