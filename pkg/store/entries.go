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
	// fresh are the others. rows tells of each row, in the order of the scan, its
	// position in was, or in fresh: ^position.
	fresh []found
	rows  []int32
	// own outcomes whose row is there.
	own map[agent.ID]struct{}
	// changed by others, those that are gone not included.
	changed []agent.ID
}

// found is an entry with the hash of its row.
type found struct {
	entry agent.Entry
	sum   uint64
}

func newScannedEntries(old *memory) scannedEntries {
	s := scannedEntries{old: old, own: map[agent.ID]struct{}{}}
	if old.listing != nil {
		s.was = old.listing.Entries
	}
	s.met, s.kept = newBitSet(len(s.was)), newBitSet(len(s.was))
	s.rows = make([]int32, 0, len(s.was))
	return s
}

func (sc *scan) rows(c *conn) error {
	if !c.schema.tables["agents"] {
		return nil
	}
	return c.query(`SELECT `+c.schema.selection(numCompared)+` FROM agents`, func(r *row) {
		var id []byte
		if r.ColumnType(colID) == textType {
			id = r.ColumnRawText(colID)
		} else {
			id = []byte(r.rowID())
		}
		at, sum := sc.entries.locate(id), c.sum(r)
		if sc.entries.add(id, at, sum) {
			return
		}
		sc.entries.rows = append(sc.entries.rows, int32(^len(sc.entries.fresh)))
		sc.entries.fresh = append(sc.entries.fresh, found{sc.entry(r), sum})
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
		return cmp.Or(cmp.Compare(s.fresh[a].entry.ID, s.fresh[b].entry.ID), cmp.Compare(a, b))
	})
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
		for ; len(news) > 0 && s.fresh[news[0]].entry.ID < s.was[at].ID; news = news[1:] {
			fresh[news[0]] = put(s.fresh[news[0]].entry, s.fresh[news[0]].sum)
		}
		kept[at] = put(s.was[at], s.old.sums[at])
	}
	for _, i := range news {
		fresh[i] = put(s.fresh[i].entry, s.fresh[i].sum)
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

// entry is the row in short.
func (sc *scan) entry(r *row) agent.Entry {
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

// sameEntries tells it at once of a slice and itself.
func sameEntries(a, b []agent.Entry) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}

// bitSet is a set of positions.
type bitSet []uint64

func newBitSet(n int) bitSet    { return make(bitSet, (n+63)/64) }
func (s bitSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s bitSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
