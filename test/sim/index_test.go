package sim

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// index is the database as one process sees it through the port. It answers as
// pkg/store does: TestTheModelAnswersAsTheStore asks both.
type index struct {
	*life
	listing *agent.IndexListing
	rows    map[agent.ID]agent.Record // as of the last List and own commits
	states  map[agent.ID]agent.State
	doubted map[agent.ID]bool
	// seen is what the last List listed, and at which count of writes.
	seen   *database
	seenAt int
}

var _ controller.Index = (*index)(nil)

func newIndex(l *life) *index {
	return &index{life: l, rows: map[agent.ID]agent.Record{}, states: map[agent.ID]agent.State{}, doubted: map[agent.ID]bool{}}
}

// allFields are the columns of a database of our own.
var allFields = func() (s agent.FieldSet) {
	for i := range agent.NumFields {
		s = s.With(i)
	}
	return s
}()

// connect compares the stamp, and brings the date of a loss that lies in the
// future to now, as opening the file does.
func (x *index) connect() *database {
	db := x.db
	switch now := stored(x.machine.wall()); {
	case db.stamp != x.lock.stamp:
		x.restamp()
		db.lost, db.lostAt = true, now
	case db.lostAt.After(now):
		x.restamp()
		db.lostAt = now
	}
	return db
}

// restamp goes with every write.
func (x *index) restamp() {
	x.stamps++
	x.indexed++
	x.db.stamp, x.lock.stamp = x.stamps, x.stamps
}

func (x *index) List(context.Context) (*agent.IndexListing, []agent.ID, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.enter("index.List", false); err != nil {
		return nil, nil, err
	}
	db := x.connect()
	if x.seen == db && x.seenAt == x.indexed && len(x.doubted) == 0 {
		return x.listing, nil, nil
	}
	x.seen, x.seenAt = db, x.indexed
	l := db.list()
	changed := x.differences(db)
	x.rows, x.states, x.doubted = maps.Clone(db.rows), maps.Clone(db.states), map[agent.ID]bool{}
	if x.listing == nil || !sameListing(x.listing, l) {
		x.listing = l
	}
	return x.listing, changed, nil
}

func (x *index) differences(db *database) []agent.ID {
	changed := maps.Clone(x.doubted)
	for id, row := range db.rows {
		if was, ok := x.rows[id]; !ok || !matches(&was, &row) {
			changed[id] = true
		}
	}
	for id := range x.rows {
		if _, ok := db.rows[id]; !ok {
			changed[id] = true
		}
	}
	for id, st := range db.states {
		if x.states[id] != st {
			changed[id] = true
		}
	}
	for id := range x.states {
		if _, ok := db.states[id]; !ok {
			changed[id] = true
		}
	}
	return slices.Sorted(maps.Keys(changed))
}

func (db *database) list() *agent.IndexListing {
	l := &agent.IndexListing{
		States: maps.Clone(db.states), Displaced: map[agent.ID]agent.Tombstone{}, Returned: map[agent.ID]struct{}{},
		Left: slices.Sorted(maps.Keys(db.left)), Denied: slices.Sorted(maps.Keys(db.denied)),
		Paused: db.paused, Lost: db.lost, LostSince: db.lostAt, Written: allFields,
	}
	for _, id := range slices.Sorted(maps.Keys(db.rows)) {
		r := db.rows[id]
		l.Entries = append(l.Entries, agent.Entry{
			ID: id, Path: r.Path, System: r.System(),
			Common: &agent.Common{ScanRoot: r.ScanRoot, Namespace: r.Namespace(), Status: r.Status},
			Digest: r.Fields.Digest(),
		})
		if _, grave := db.graves[id]; grave {
			l.Returned[id] = struct{}{}
		}
	}
	for id, t := range db.graves {
		if _, back := db.rows[id]; t.Reason == agent.Displaced && !back {
			l.Displaced[id] = t
		}
	}
	for _, list := range db.problems {
		l.Problems = append(l.Problems, list...)
	}
	slices.SortFunc(l.Problems, func(a, b agent.Problem) int {
		return strings.Compare(a.Path+"\x00"+string(a.Reason)+"\x00"+string(a.ID), b.Path+"\x00"+string(b.Reason)+"\x00"+string(b.ID))
	})
	for _, p := range slices.Sorted(maps.Keys(db.roots)) {
		l.Roots = append(l.Roots, db.roots[p])
	}
	return l
}

func sameListing(a, b *agent.IndexListing) bool {
	return slices.Equal(a.Entries, b.Entries) && maps.Equal(a.States, b.States) && maps.Equal(a.Displaced, b.Displaced) &&
		maps.Equal(a.Returned, b.Returned) &&
		slices.Equal(a.Problems, b.Problems) && slices.Equal(a.Roots, b.Roots) && slices.Equal(a.Left, b.Left) &&
		slices.Equal(a.Denied, b.Denied) && a.Lost == b.Lost && a.LostSince.Equal(b.LostSince) && a.Paused == b.Paused
}

func (x *index) Read(_ context.Context, ids []agent.ID, paths []string) (map[agent.ID]agent.View, map[string]agent.ID, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.enter("index.Read", false); err != nil {
		return nil, nil, err
	}
	db := x.connect()
	views, standing := map[agent.ID]agent.View{}, map[string]agent.ID{}
	for _, id := range ids {
		views[id] = db.view(id)
	}
	for _, p := range paths {
		if id := db.standing(p); id != "" {
			standing[p] = id
		}
	}
	return views, standing, nil
}

func (db *database) view(id agent.ID) (v agent.View) {
	if r, ok := db.rows[id]; ok {
		v.Row = &r
	}
	if s, ok := db.states[id]; ok {
		v.State = &s
	}
	if t, ok := db.graves[id]; ok {
		v.Tombstone = &t
	}
	v.Problems = slices.Clone(db.problems[id])
	v.Lost, v.Paused = db.lost, db.paused
	return v
}

func (x *index) CommitRoots(_ context.Context, roots []agent.Root) error {
	return x.write("index.CommitRoots", func(db *database) bool {
		wrote := false
		for _, r := range roots {
			r.ReleasedAt = stored(r.ReleasedAt)
			if was, ok := db.roots[r.Path]; !ok || was != r {
				db.roots[r.Path], wrote = r, true
			}
		}
		return wrote
	})
}

func (x *index) CommitProblems(_ context.Context, problems []agent.Problem) error {
	return x.write("index.CommitProblems", func(db *database) bool { return db.setProblems("", problems, x.machine.wall()) })
}

func (x *index) Vacant(_ context.Context, namespaces []string) (map[string]agent.Vacancy, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.enter("index.Vacant", false); err != nil {
		return nil, err
	}
	db := x.connect()
	vacant := map[string]agent.Vacancy{}
	for _, ns := range namespaces {
		v := agent.Vacancy{Empty: true, NoSystem: true}
		for id := range db.rows {
			r := db.rows[id]
			if r.Namespace() == ns {
				v.Empty = false
				v.NoSystem = v.NoSystem && !r.System()
			}
		}
		vacant[ns] = v
	}
	return vacant, nil
}

func (x *index) ForgetLeft(_ context.Context, namespaces []string) error {
	return x.write("index.ForgetLeft", func(db *database) bool {
		wrote := false
		for _, ns := range namespaces {
			wrote = wrote || db.left[ns]
			delete(db.left, ns)
		}
		return wrote
	})
}

func (x *index) Events(context.Context, agent.EventFilter) ([]agent.Event, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.enter("index.Events", false); err != nil {
		return nil, err
	}
	return slices.Clone(x.connect().events), nil
}

func (x *index) Deny(_ context.Context, path, reason string, now time.Time) error {
	return x.write("index.Deny", func(db *database) bool {
		if _, on := db.denied[path]; on {
			return false
		}
		db.denied[path] = agent.Denial{Path: path, Reason: reason, Since: stored(now)}
		return true
	})
}

func (x *index) Undeny(_ context.Context, path string) (found bool, err error) {
	err = x.write("index.Undeny", func(db *database) bool {
		_, found = db.denied[path]
		delete(db.denied, path)
		return found
	})
	return found, err
}

// Named lists the agents of this name.
func (x *index) Named(_ context.Context, name string) ([]agent.ID, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.enter("index.Named", false); err != nil {
		return nil, err
	}
	var ids []agent.ID
	for id, r := range x.connect().rows {
		if r.Name() == name {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func (x *index) Denials(context.Context) ([]agent.Denial, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.enter("index.Denials", false); err != nil {
		return nil, err
	}
	db := x.connect()
	var list []agent.Denial
	for _, p := range slices.Sorted(maps.Keys(db.denied)) {
		list = append(list, db.denied[p])
	}
	return list, nil
}

func (x *index) Tombstones(context.Context) ([]agent.Tombstone, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.enter("index.Tombstones", false); err != nil {
		return nil, err
	}
	list := slices.Collect(maps.Values(x.connect().graves))
	slices.SortFunc(list, func(a, b agent.Tombstone) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return list, nil
}

func (x *index) SetPaused(_ context.Context, paused bool) error {
	return x.write("index.SetPaused", func(db *database) bool {
		wrote := db.paused != paused
		db.paused = paused
		return wrote
	})
}

func (x *index) Unclean() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.lock.unclean
}

func (x *index) Cleared() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.enter("index.Cleared", false); err != nil {
		return err
	}
	x.lock.unclean = false
	return nil
}

func (x *index) Found(context.Context) error {
	return x.write("index.Found", func(db *database) bool {
		wrote := db.lost
		db.lost = false
		return wrote
	})
}

func (x *index) Rest() error { return nil }

// write is one transaction; do reports whether it wrote anything.
func (x *index) write(call string, do func(*database) bool) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.act(call, "", func() error {
		if db := x.connect(); do(db) {
			x.restamp()
			x.wrote("index")
		}
		return nil
	})
}
