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
		if row == nil {
			return b.insert(ch.Row)
		}
		return b.alter(row, ch.Row, true)
	case agent.UpdateRow:
		return b.alter(row, ch.Row, false)
	case agent.RelocateRow:
		return b.alter(row, ch.Row, true)
	}
	return nil
}

// insert makes a row with everything that the record holds, what only the index
// knew included: it may come from a tombstone.
func (b *burst) insert(rec *agent.Record) error {
	set := fieldColumns(b.c.schema.written)
	for _, i := range []int{
		colID, colPath, colScanRoot, colStatus, colRegisteredAt, colApprover, colLastSeenAt,
		colLastSeenEvent, colEntrypoint, colVersion, colUpdatedAt,
	} {
		set = set.with(i)
	}
	made := *rec
	made.UpdatedAt = b.now()
	for i := range int(numColumns) {
		if set.has(i) && cellOf(&made, i).Kind == agent.Null && b.c.schema.notNull(i) {
			set &^= 1 << i
		}
	}
	st, err := b.c.insertStmt(set)
	if err != nil {
		return err
	}
	return b.store(st, set, &made)
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
	made.ID, made.UpdatedAt = row.ID, b.now()
	st, err := b.c.updateStmt(set)
	if err != nil {
		return err
	}
	return b.store(st, set.with(colID), &made)
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
		if cellOf(row, i) == to || to.Kind == agent.Null && sc.notNull(i) {
			set &^= 1 << i
		}
	}
	return set
}

// store runs a statement whose parameter i+1 is column i, and learns what the
// row has become: affinity and defaults have their say in it.
func (b *burst) store(st *sqlite3.Stmt, set columnSet, rec *agent.Record) error {
	if err := b.touch(nil); err != nil {
		return err
	}
	for i := range int(numColumns) {
		if set.has(i) {
			if err := bindCell(st, i+1, cellOf(rec, i)); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(st.Exec(), st.Reset()); err != nil {
		return err
	}
	sum, err := b.c.sumOf(rec.ID)
	if err != nil {
		return err
	}
	b.learn.row(rec.ID, outcome{sum: sum})
	return nil
}

// insertStmt is INSERT of the columns of set.
func (c *conn) insertStmt(set columnSet) (*sqlite3.Stmt, error) {
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
	st, err := c.prepare(`INSERT INTO agents (` + strings.Join(names, ", ") + `) VALUES (` + strings.Join(params, ", ") + `)`)
	return keep(c.inserts, set, st, err)
}

// updateStmt is UPDATE of the columns of set.
func (c *conn) updateStmt(set columnSet) (*sqlite3.Stmt, error) {
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

func keep(cache map[columnSet]*sqlite3.Stmt, set columnSet, st *sqlite3.Stmt, err error) (*sqlite3.Stmt, error) {
	if err != nil {
		return nil, err
	}
	if len(cache) >= keptStatements {
		for other, old := range cache {
			delete(cache, other)
			if err := old.Close(); err != nil {
				return nil, errors.Join(err, st.Close())
			}
			break
		}
	}
	cache[set] = st
	return st, nil
}
