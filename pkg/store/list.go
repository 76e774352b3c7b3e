package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// List returns the rows in short and all own state, and the ids whose row or
// state somebody else changed since the previous List; the first compares with
// nothing. When neither the database nor its -wal moved, nothing is opened and
// the listing is the very same. An error leaves the memory as it was: what
// changed is told by the next List.
func (s *Store) List(ctx context.Context) (*agent.IndexListing, []agent.ID, error) {
	if err := s.enter(ctx); err != nil {
		return nil, nil, err
	}
	defer s.leave()
	at := s.now()
	before, err := lookAt(s.path)
	if err != nil {
		return nil, nil, fmt.Errorf("list the index: %w", err)
	}
	m := &s.memory
	if m.listing != nil && !m.dirty && !m.racy && before == m.look && !before.db.id.IsZero() {
		return m.listing, nil, nil
	}
	var sc *scan
	err = s.read(ctx, func(c *conn) error {
		sc = newScan(m)
		return sc.take(s, c)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list the index: %w", err)
	}
	// The baseline is from before the scan: what came in during it counts as
	// having come after. A file made by opening has no baseline yet.
	changed := sc.learn(m)
	m.look, m.racy, m.dirty = before, before.racy(at), false
	return m.listing, changed, nil
}

// scan is one reading of everything.
type scan struct {
	old     *memory
	listing *agent.IndexListing
	entries scannedEntries
	commons map[string]*agent.Common // few, often
	buf     []byte
}

func newScan(old *memory) *scan {
	return &scan{
		old:     old,
		entries: newScannedEntries(old),
		commons: map[string]*agent.Common{},
		listing: &agent.IndexListing{
			States:    map[agent.ID]agent.State{},
			Displaced: map[agent.ID]agent.Tombstone{},
			Returned:  map[agent.ID]struct{}{},
		},
	}
}

// take reads the index; c is nil where there is none.
func (sc *scan) take(s *Store, c *conn) error {
	if c == nil {
		return nil
	}
	sc.listing.Written = c.schema.written
	if err := sc.rows(c); err != nil {
		return err
	}
	if err := sc.denied(c); err != nil || !c.schema.own() {
		return err
	}
	return errors.Join(sc.ownRecords(c), sc.paused(c), sc.lost(s, c))
}

func (sc *scan) denied(c *conn) error {
	if c.schema.denials == "" {
		return nil
	}
	err := c.query(`SELECT path FROM `+c.schema.denials, func(r *row) {
		if r.ColumnType(0) == textType {
			sc.listing.Denied = append(sc.listing.Denied, r.text(0))
		}
	})
	slices.Sort(sc.listing.Denied)
	return err
}

func (sc *scan) lost(s *Store, c *conn) (err error) {
	sc.listing.Lost, sc.listing.LostSince, err = s.lost(c)
	return err
}

// learn replaces the memory by the scan and returns what others changed, sorted.
func (sc *scan) learn(m *memory) []agent.ID {
	changed := slices.Concat(sc.entries.differences(), sc.states(m), slices.Collect(maps.Keys(m.doubted)))
	slices.Sort(changed)
	sc.listing.Entries, m.sums, m.order = sc.entries.merge()
	if !sameListing(m.listing, sc.listing) {
		m.listing = sc.listing
	}
	m.own, m.states, m.doubted = map[agent.ID]outcome{}, map[agent.ID]*agent.State{}, nil
	return slices.Compact(changed)
}

// states are the ids whose state is not what the memory holds.
func (sc *scan) states(m *memory) (changed []agent.ID) {
	for id := range m.remembered(sc.listing.States) {
		if m.state(id) != sc.listing.States[id] {
			changed = append(changed, id)
		}
	}
	return changed
}

// sameListing reports that a and b say the same.
func sameListing(a, b *agent.IndexListing) bool {
	return a != nil && sameEntries(a.Entries, b.Entries) &&
		maps.Equal(a.States, b.States) && maps.Equal(a.Displaced, b.Displaced) &&
		maps.Equal(a.Returned, b.Returned) &&
		slices.Equal(a.Problems, b.Problems) && slices.Equal(a.Roots, b.Roots) &&
		slices.Equal(a.Left, b.Left) && slices.Equal(a.Denied, b.Denied) &&
		a.Lost == b.Lost && a.LostSince.Equal(b.LostSince) && a.Paused == b.Paused && a.Written == b.Written
}
