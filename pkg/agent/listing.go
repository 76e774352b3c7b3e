package agent

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// Sighting is a manifest that a sweep found, or a place where one could not be
// read.
type Sighting struct {
	Path  string
	ID    ID       // set when Present
	Class Evidence // Present, Invalid or Unknown
	// System: the manifest says isSystem and lies in the managed home.
	System bool
	// Namespace as the manifest names it ("" or blank: derived).
	Namespace string
	// Digest of the fields that follow from the manifest alone; 0 unless Present.
	Digest uint64
	Dir    FileID
	// Problem says what is wrong when Class is Invalid; Err when Unknown.
	Problem *Violation
	Err     string
}

// RootReport says how much of a scan root a listing saw.
type RootReport struct {
	Path string
	// Gone: the root itself is not there, which is an answer.
	Gone bool
	// Complete: everything below was listed, but for Skipped.
	Complete bool
	// Lacks says why a root is not complete, for people.
	Lacks string
	// Skipped directories could not be listed for want of permission: the
	// listing is incomplete only for what is recorded below them.
	Skipped []string
	// Mount that covers the root now, and the points of others below it.
	Mount Mount
	Inner []string
	// Directories and manifests seen.
	Directories, Manifests int
}

// Listing is what the disk holds, immutable once it is handed out.
type Listing struct {
	Began time.Time
	Roots []RootReport
	// Sightings in the order of their paths.
	Sightings []Sighting
	// ByID holds the positions of the Present sightings, in the order of their ids
	// and, of one id, of their paths.
	ByID []int32
	// Stats and Reads count what the listing cost.
	Stats, Reads int
}

// Index makes ByID of the sightings.
func (l *Listing) Index() {
	l.ByID = make([]int32, 0, len(l.Sightings))
	for i := range l.Sightings {
		if l.Sightings[i].ID != "" {
			l.ByID = append(l.ByID, int32(i))
		}
	}
	slices.SortFunc(l.ByID, func(a, b int32) int {
		return cmp.Or(cmp.Compare(l.Sightings[a].ID, l.Sightings[b].ID), cmp.Compare(a, b))
	})
}

// Places are the positions of the Present sightings of an id, in the order of
// their paths.
func (l *Listing) Places(id ID) []int32 {
	from, _ := slices.BinarySearchFunc(l.ByID, id, func(i int32, id ID) int { return cmp.Compare(l.Sightings[i].ID, id) })
	to := from
	for to < len(l.ByID) && l.Sightings[l.ByID[to]].ID == id {
		to++
	}
	return l.ByID[from:to]
}

// CompleteFor reports whether the listing can speak about what is recorded at
// path: its root was listed whole and no directory above it was skipped. A
// path outside every root is always covered: it is looked at by itself.
func (l *Listing) CompleteFor(path string) bool {
	r := l.root(path)
	if r == nil {
		return true
	}
	if !r.Complete {
		return false
	}
	for _, s := range r.Skipped {
		if Within(path, s) {
			return false
		}
	}
	return true
}

// LacksFor says why the root of a path is not complete, for people; "" where it
// is, or where no root holds the path.
func (l *Listing) LacksFor(path string) string {
	if r := l.root(path); r != nil {
		return r.Lacks
	}
	return ""
}

// Complete reports whether every root was listed whole, skipped directories
// aside.
func (l *Listing) Complete() bool {
	for i := range l.Roots {
		if !l.Roots[i].Complete {
			return false
		}
	}
	return true
}

func (l *Listing) root(path string) *RootReport {
	var best *RootReport
	for i := range l.Roots {
		r := &l.Roots[i]
		if Within(path, r.Path) && (best == nil || len(r.Path) > len(best.Path)) {
			best = r
		}
	}
	return best
}

// Entry is a row of the index in short. There are as many as agents, so what
// many of them have in common is kept once.
type Entry struct {
	ID   ID
	Path string
	*Common
	System bool
	// Digest of the row's fields; 0: not known.
	Digest uint64
}

// Common is what a row says in the same words as others of its team.
type Common struct{ ScanRoot, Namespace, Status string }

// Equal reports whether both say the same.
func (e *Entry) Equal(o *Entry) bool {
	return e.ID == o.ID && e.Path == o.Path && e.System == o.System && e.Digest == o.Digest &&
		(e.Common == o.Common || *e.Common == *o.Common)
}

// IndexListing is what the index holds, immutable once it is handed out.
type IndexListing struct {
	// Entries in the order of their ids.
	Entries []Entry
	// States, displaced tombstones and everything else small is carried whole.
	States    map[ID]State
	Displaced map[ID]Tombstone // in their grace: an endpoint may still stand
	Returned  map[ID]struct{}  // with a row and a tombstone
	Problems  []Problem
	Roots     []Root
	Left      []string // namespaces whose rules may have to go
	Denied    []string // denied paths, sorted
	// Paused: an operator has switched converging off.
	Paused bool
	// Lost: the index was lost, recreated or restored from a backup, and no
	// complete sweep has ended since.
	Lost bool
	// LostSince is when that was last found out, also after a sweep has ended it;
	// zero: never.
	LostSince time.Time
	// Written are the fields whose columns exist and are ours to write.
	Written FieldSet
}

// Entry is the row of an id in short, nil for none.
func (l *IndexListing) Entry(id ID) *Entry {
	i, ok := slices.BinarySearchFunc(l.Entries, id, func(e Entry, id ID) int { return cmp.Compare(e.ID, id) })
	if !ok {
		return nil
	}
	return &l.Entries[i]
}

// Endpoint is an address that exists in the relay.
type Endpoint struct {
	Subject Subject
	// Whole: nothing of it is missing (a mailbox that was created half-way is
	// not whole and is ensured again).
	Whole bool
	// In is the directory that it stands in, the same for all.
	In string
}

// Place is where it stands, for people: the mailbox's directory.
func (e *Endpoint) Place() string { return e.In + "/" + string(e.Subject) }

// Endpoints in the order of their ids and, of one id, of their addresses.
type Endpoints []Endpoint

// Sort puts them in order.
func (l Endpoints) Sort() {
	slices.SortFunc(l, func(a, b Endpoint) int {
		return cmp.Or(cmp.Compare(a.Subject.ID(), b.Subject.ID()), cmp.Compare(a.Subject, b.Subject))
	})
}

// Of an id, in the order of their addresses.
func (l Endpoints) Of(id ID) Endpoints {
	from, _ := slices.BinarySearchFunc(l, id, func(e Endpoint, id ID) int { return cmp.Compare(e.Subject.ID(), id) })
	to := from
	for to < len(l) && l[to].Subject.ID() == id {
		to++
	}
	return l[from:to:to]
}

// ByID yields the endpoints of each id.
func (l Endpoints) ByID() iter.Seq2[ID, Endpoints] {
	return func(yield func(ID, Endpoints) bool) {
		for len(l) > 0 {
			id, n := l[0].Subject.ID(), 1
			for n < len(l) && l[n].Subject.ID() == id {
				n++
			}
			if !yield(id, l[:n:n]) {
				return
			}
			l = l[n:]
		}
	}
}

// RelayListing is what the relay holds, immutable once it is handed out.
type RelayListing struct {
	Endpoints Endpoints
	Rules     map[string]RuleSet // by namespace
	// Kept ids have mail that was kept aside when their address was retired.
	Kept map[ID]bool
	// Degraded says why the rules cannot be read; "" when they can.
	Degraded string
}
