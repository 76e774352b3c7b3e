package store

import (
	"cmp"
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
	found   []found
	words   map[string]string // scan roots, namespaces, statuses: few, often
}

// found is an entry with the hash of its row.
type found struct {
	entry agent.Entry
	sum   uint64
}

func newScan(old *memory) *scan {
	return &scan{
		old:   old,
		found: make([]found, 0, len(old.rows)),
		words: map[string]string{},
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

func (sc *scan) rows(c *conn) error {
	if !c.schema.tables["agents"] {
		return nil
	}
	return c.query(`SELECT `+c.schema.selection(numCompared)+` FROM agents`, func(r *row) {
		sum := c.sum(r)
		sc.found = append(sc.found, found{sc.entry(r, sum), sum})
	})
}

// entry is the row in short. What has not changed is taken from the previous
// listing, so that a quiet scan of a large index makes next to no garbage.
func (sc *scan) entry(r *row, sum uint64) agent.Entry {
	if r.ColumnType(colID) == textType {
		m, known := sc.old.rows[agent.ID(r.ColumnRawText(colID))]
		if known && m.sum == sum && m.pos >= 0 {
			return sc.old.listing.Entries[m.pos]
		}
	}
	return agent.Entry{
		ID:        r.rowID(),
		Path:      r.text(colPath),
		ScanRoot:  sc.word(r, colScanRoot),
		Namespace: sc.word(r, colField+agent.FieldNamespace),
		Status:    sc.word(r, colStatus),
		System:    r.cell(colField+agent.FieldIsSystem) == agent.BoolCell(true),
		Digest:    r.digest(),
	}
}

// digest of the fields, see agent.Fields.Digest.
func (r *row) digest() uint64 {
	d := agent.NewDigester()
	for i := range agent.NumFields {
		if r.ColumnType(colField+i) == textType {
			d.AddRaw(i, agent.Text, r.ColumnRawText(colField+i))
			continue
		}
		c := r.cell(colField + i)
		d.Add(i, c.Kind, c.Text)
	}
	return d.Sum()
}

// word is a text that occurs in many rows, once in memory.
func (sc *scan) word(r *row, i int) string {
	if r.ColumnType(i) != textType {
		return r.text(i)
	}
	raw := r.ColumnRawText(i)
	if w, ok := sc.words[string(raw)]; ok {
		return w
	}
	w := string(raw)
	sc.words[w] = w
	return w
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
	byID := func(a, b found) int { return cmp.Compare(a.entry.ID, b.entry.ID) }
	if !slices.IsSortedFunc(sc.found, byID) {
		slices.SortFunc(sc.found, byID)
	}
	rows := make(map[agent.ID]mark, len(sc.found))
	sc.listing.Entries = make([]agent.Entry, len(sc.found))
	for i, f := range sc.found {
		sc.listing.Entries[i] = f.entry
		rows[f.entry.ID] = mark{f.sum, int32(i)}
	}
	changed := sc.differences(m, rows)
	if !sameListing(m.listing, sc.listing) {
		m.listing = sc.listing
	}
	m.rows, m.states, m.doubted = rows, map[agent.ID]*agent.State{}, nil
	return changed
}

// differences are the ids whose row or state is not what the memory holds.
func (sc *scan) differences(m *memory, rows map[agent.ID]mark) []agent.ID {
	changed := map[agent.ID]struct{}{}
	maps.Copy(changed, m.doubted)
	for id, now := range rows {
		if was, ok := m.rows[id]; !ok || was.sum != now.sum {
			changed[id] = struct{}{}
		}
	}
	for id := range m.rows {
		if _, ok := rows[id]; !ok {
			changed[id] = struct{}{}
		}
	}
	for id := range m.remembered(sc.listing.States) {
		if m.state(id) != sc.listing.States[id] {
			changed[id] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(changed))
}

// sameListing reports that a and b say the same.
func sameListing(a, b *agent.IndexListing) bool {
	return a != nil && slices.Equal(a.Entries, b.Entries) &&
		maps.Equal(a.States, b.States) && maps.Equal(a.Displaced, b.Displaced) &&
		maps.Equal(a.Returned, b.Returned) &&
		slices.Equal(a.Problems, b.Problems) && slices.Equal(a.Roots, b.Roots) &&
		slices.Equal(a.Left, b.Left) && slices.Equal(a.Denied, b.Denied) &&
		a.Lost == b.Lost && a.LostSince.Equal(b.LostSince) && a.Paused == b.Paused && a.Written == b.Written
}
