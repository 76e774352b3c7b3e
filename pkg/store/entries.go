package store

import (
	"cmp"
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// scannedEntries compares the rows of a scan with the previous listing. What has
// not changed is taken from there, so that a scan of a large index makes next to
// no garbage.
type scannedEntries struct {
	old *memory
	// was are the entries of the previous listing.
	was []agent.Entry
	// next is the place in the previous scan whose row should come now.
	next int
	// met and kept tell of each of was whether its row is there, and whether it is
	// the same.
	met, kept bitSet
	// fresh are the others, with the hashes of their rows. rows tells of each row,
	// in the order of the scan, its position in was, or in fresh: ^position.
	fresh     []agent.Entry
	freshSums []uint64
	rows      []int32
	// own outcomes whose row is there.
	own map[agent.ID]struct{}
	// changed by others, those that are gone not included.
	changed []agent.ID
}

func newScannedEntries(old *memory) scannedEntries {
	s := scannedEntries{old: old, own: map[agent.ID]struct{}{}}
	if old.listing != nil {
		s.was = old.listing.Entries
	}
	s.met, s.kept = newBitSet(len(s.was)), newBitSet(len(s.was))
	return s
}

// expect makes room for so many rows, where hardly any is known.
func (s *scannedEntries) expect(rows int) {
	s.rows = make([]int32, 0, max(rows, len(s.was)))
	if fresh := rows - len(s.was); fresh > len(s.was) {
		s.fresh, s.freshSums = make([]agent.Entry, 0, fresh), make([]uint64, 0, fresh)
	}
}

func (sc *scan) rows(c *conn) error {
	if !c.schema.tables["agents"] {
		return nil
	}
	if err := c.query("SELECT count(*) FROM agents", func(r *row) { sc.entries.expect(r.ColumnInt(0)) }); err != nil {
		return err
	}
	return c.query(`SELECT `+c.schema.selection(numCompared)+` FROM agents`, func(r *row) {
		var id []byte
		if r.ColumnType(colID) == textType {
			id = r.ColumnRawText(colID)
		} else {
			id = []byte(r.rowID())
		}
		s := &sc.entries
		at, sum := s.locate(id), c.sum(r)
		if s.add(id, at, sum) {
			return
		}
		s.rows = append(s.rows, int32(^len(s.fresh)))
		s.fresh, s.freshSums = append(s.fresh, sc.entry(r, id, at)), append(s.freshSums, sum)
	})
}

// locate finds the previous entry of an id that no other row has taken, -1 where
// there is none. Rows mostly come in the order of the previous scan.
func (s *scannedEntries) locate(id []byte) int {
	for i := s.next; i < min(s.next+2, len(s.was)); i++ { // one may have gone
		if at := int(s.old.order[i]); string(id) == string(s.was[at].ID) && !s.met.has(at) {
			s.next = i + 1
			return at
		}
	}
	at, _ := slices.BinarySearchFunc(s.was, id, func(e agent.Entry, id []byte) int { return cmp.Compare(e.ID, agent.ID(id)) })
	for ; at < len(s.was) && string(id) == string(s.was[at].ID); at++ {
		if !s.met.has(at) {
			return at
		}
	}
	return -1
}

// add takes a row with its previous entry, if any, and reports whether that can
// stay.
func (s *scannedEntries) add(id []byte, at int, sum uint64) (same bool) {
	known := at >= 0
	same = known && s.old.sums[at] == sum
	unchanged := same
	if o, own := s.old.own[agent.ID(id)]; own {
		s.own[agent.ID(id)] = struct{}{}
		unchanged = !o.gone && o.sum == sum
	}
	if !unchanged {
		s.changed = append(s.changed, agent.ID(id))
	}
	if known {
		s.met.add(at)
	}
	if same {
		s.kept.add(at)
		s.rows = append(s.rows, int32(at))
	}
	return same
}

// differences are the ids that others changed.
func (s *scannedEntries) differences() []agent.ID {
	changed := s.changed
	for at := range s.was {
		if id := s.was[at].ID; !s.met.has(at) && !s.old.own[id].gone {
			changed = append(changed, id)
		}
	}
	for id, o := range s.old.own {
		if _, there := s.own[id]; !there && !o.gone {
			changed = append(changed, id)
		}
	}
	return changed
}

// merge returns the entries in the order of their ids, the hashes of their rows,
// and their positions in the order of the scan.
func (s *scannedEntries) merge() (entries []agent.Entry, sums []uint64, order []int32) {
	if len(s.fresh) == 0 && len(s.rows) == len(s.was) {
		return s.was, s.old.sums, s.rows
	}
	news := make([]int32, len(s.fresh))
	for i := range news {
		news[i] = int32(i)
	}
	slices.SortFunc(news, func(a, b int32) int {
		return cmp.Or(cmp.Compare(s.fresh[a].ID, s.fresh[b].ID), cmp.Compare(a, b))
	})
	if len(s.was) == 0 {
		return s.arrange(news)
	}
	entries = make([]agent.Entry, 0, len(s.rows))
	sums = make([]uint64, 0, len(s.rows))
	kept, fresh := make([]int32, len(s.was)), make([]int32, len(s.fresh)) // where they go
	put := func(e agent.Entry, sum uint64) int32 {
		entries, sums = append(entries, e), append(sums, sum)
		return int32(len(entries) - 1)
	}
	for at := range s.was {
		if !s.kept.has(at) {
			continue
		}
		for ; len(news) > 0 && s.fresh[news[0]].ID < s.was[at].ID; news = news[1:] {
			fresh[news[0]] = put(s.fresh[news[0]], s.freshSums[news[0]])
		}
		kept[at] = put(s.was[at], s.old.sums[at])
	}
	for _, i := range news {
		fresh[i] = put(s.fresh[i], s.freshSums[i])
	}
	for i, at := range s.rows {
		if at >= 0 {
			s.rows[i] = kept[at]
		} else {
			s.rows[i] = fresh[^at]
		}
	}
	return entries, sums, s.rows
}

// arrange puts the fresh ones in this order where they are, as they are all:
// each cycle of moves begins with one in hand.
func (s *scannedEntries) arrange(news []int32) (entries []agent.Entry, sums []uint64, order []int32) {
	for to, from := range news {
		s.rows[from] = int32(to)
	}
	for i := range news {
		e, sum := s.fresh[i], s.freshSums[i]
		for to := int32(i); news[to] >= 0; {
			from := news[to]
			news[to] = -1
			if int(from) == i {
				s.fresh[to], s.freshSums[to] = e, sum
			} else {
				s.fresh[to], s.freshSums[to] = s.fresh[from], s.freshSums[from]
			}
			to = from
		}
	}
	return s.fresh, s.freshSums, s.rows
}

// entry is the row in short. at is the position of its previous one, -1 for none.
func (sc *scan) entry(r *row, id []byte, at int) agent.Entry {
	e := agent.Entry{
		Common: sc.common(r),
		System: r.cell(colField+agent.FieldIsSystem) == agent.BoolCell(true),
		Digest: r.digest(),
	}
	// An id and a path that somebody has in memory anyway are kept once.
	own := sc.old.own[agent.ID(id)]
	e.ID, e.Path = own.id, own.path
	if at >= 0 {
		e.ID, e.Path = sc.entries.was[at].ID, sc.entries.was[at].Path
	}
	if string(e.ID) != string(id) {
		e.ID = agent.ID(id)
	}
	if r.ColumnType(colPath) != textType || e.Path != string(r.ColumnRawText(colPath)) {
		e.Path = r.text(colPath)
	}
	return e
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

// common is one for all rows that have it.
func (sc *scan) common(r *row) *agent.Common {
	b := sc.buf[:0]
	for _, i := range [...]int{colScanRoot, colField + agent.FieldNamespace, colStatus} {
		b = r.appendCell(b, i)
	}
	sc.buf = b
	if c, ok := sc.commons[string(b)]; ok {
		return c
	}
	c := &agent.Common{ScanRoot: r.text(colScanRoot), Namespace: r.text(colField + agent.FieldNamespace), Status: r.text(colStatus)}
	sc.commons[string(b)] = c
	return c
}

// sameEntries tells it at once of a slice and itself.
func sameEntries(a, b []agent.Entry) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] ||
		slices.EqualFunc(a, b, func(x, y agent.Entry) bool { return x.Equal(&y) }))
}

// bitSet is a set of positions.
type bitSet []uint64

func newBitSet(n int) bitSet    { return make(bitSet, (n+63)/64) }
func (s bitSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s bitSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
