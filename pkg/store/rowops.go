package store

import (
	"errors"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// applyRow does what the change says to its row. An insert over a row that is
// there (and was observed) updates it.
func (b *burst) applyRow(ch *agent.Change, row *agent.Record) error {
	switch ch.Op {
	case agent.KeepRow:
		return nil
	case agent.RemoveRow:
		if row == nil {
			return nil
		}
		b.learn.row(ch.ID, outcome{gone: true})
		return b.exec(`DELETE FROM agents WHERE id = ?`, ch.ID)
	case agent.InsertRow:
		if row != nil {
			return b.alter(row, ch.Row, true)
		}
		made, err := b.insert(ch.Row)
		if err == nil && !made {
			err = errors.New("the index does not take the row")
		}
		return err
	case agent.UpdateRow:
		return b.alter(row, ch.Row, false)
	case agent.RelocateRow:
		return b.alter(row, ch.Row, true)
	}
	return nil
}

// insert makes a row with everything that the record holds, what only the index
// knew included: it may come from a tombstone. Where the id has a row, or
// somebody stands at the path, nothing is made.
func (b *burst) insert(rec *agent.Record) (made bool, err error) {
	set := b.c.schema.fills
	for s := set & b.c.schema.notNulls; s != 0; s = s.rest() {
		if cellOf(rec, s.next()).Kind == agent.Null {
			set &^= 1 << s.next()
		}
	}
	st, err := b.c.insertStmt(set)
	if err != nil {
		return false, err
	}
	if err := b.store(st, set, rec); err != nil || b.c.db.Changes() == 0 {
		return false, err
	}
	return true, b.learnRow(nil, rec, set)
}

// alter writes the columns that differ and are ours, and updated_at with them.
// Where nothing differs nothing is written.
func (b *burst) alter(row, rec *agent.Record, moves bool) error {
	set := b.c.schema.differing(row, rec, moves)
	if set == 0 {
		return nil
	}
	set = set.with(colUpdatedAt)
	made := *rec
	made.ID = row.ID
	st, err := b.c.updateStmt(set)
	if err != nil {
		return err
	}
	if err := b.store(st, set.with(colID), &made); err != nil {
		return err
	}
	return b.learnRow(row, &made, set)
}

func (sc *schema) differing(row, rec *agent.Record, moves bool) columnSet {
	set := fieldColumns(sc.written).with(colScanRoot).with(colStatus)
	if moves {
		set = set.with(colPath)
	}
	for i := range int(numColumns) {
		if !set.has(i) {
			continue
		}
		to := cellOf(rec, i)
		if cellOf(row, i) == to || to.Kind == agent.Null && sc.notNulls.has(i) {
			set &^= 1 << i
		}
	}
	return set
}

// store runs a statement whose parameter i+1 is column i.
func (b *burst) store(st *binder, set columnSet, rec *agent.Record) error {
	for s := set; s != 0; s = s.rest() {
		i := s.next()
		cell := cellOf(rec, i)
		if i == colUpdatedAt {
			cell = agent.TextCell(b.now())
		}
		if err := st.set(i, cell); err != nil {
			return err
		}
	}
	return st.Exec()
}

// learnRow renews the stamp for a row that was stored, and learns what it has
// become.
func (b *burst) learnRow(was, rec *agent.Record, set columnSet) error {
	if err := b.touch(nil); err != nil {
		return err
	}
	sum, told := uint64(0), false
	if b.known {
		sum, told = b.c.foretell(was, rec, set)
	}
	if !told {
		var err error
		if sum, err = b.c.sumOf(rec.ID); err != nil {
			return err
		}
	}
	o := outcome{sum: sum}
	if was == nil {
		o.id, o.path = rec.ID, rec.Path
	}
	b.learn.row(rec.ID, o)
	return nil
}

// insertStmt is INSERT of the columns of set, where nobody is in the way.
func (c *conn) insertStmt(set columnSet) (*binder, error) {
	if st := c.inserts[set]; st != nil {
		return st, nil
	}
	var names, params []string
	for i := range int(numColumns) {
		if set.has(i) {
			names = append(names, `"`+columnName(i)+`"`)
			params = append(params, param(i))
		}
	}
	st, err := c.prepare(`INSERT INTO agents (` + strings.Join(names, ", ") + `) VALUES (` + strings.Join(params, ", ") + `) ON CONFLICT DO NOTHING`)
	return keep(c.inserts, set, st, err)
}

// updateStmt is UPDATE of the columns of set.
func (c *conn) updateStmt(set columnSet) (*binder, error) {
	if st := c.updates[set]; st != nil {
		return st, nil
	}
	var sets []string
	for i := range int(numColumns) {
		if set.has(i) {
			sets = append(sets, `"`+columnName(i)+`" = `+param(i))
		}
	}
	st, err := c.prepare(`UPDATE agents SET ` + strings.Join(sets, ", ") + ` WHERE id = ` + param(colID))
	return keep(c.updates, set, st, err)
}

// keptStatements bounds each of the two caches. A sweep needs a handful; what an
// odd fleet needs beyond that is prepared again.
const keptStatements = 64

func keep(cache map[columnSet]*binder, set columnSet, prepared *sqlite3.Stmt, err error) (*binder, error) {
	if err != nil {
		return nil, err
	}
	if len(cache) >= keptStatements {
		for other, old := range cache {
			delete(cache, other)
			if err := old.Close(); err != nil {
				return nil, errors.Join(err, prepared.Close())
			}
			break
		}
	}
	st := &binder{Stmt: prepared}
	cache[set] = st
	return st, nil
}
