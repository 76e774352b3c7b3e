package store

import (
	"errors"
	"math/bits"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Columns of a row as they are selected, in this order, whatever the index has:
// a column that is not there is selected as NULL.
const (
	colID = iota
	colPath
	colScanRoot
	colStatus
	colField // the first of the field table

	colRegisteredAt = colField + agent.NumFields + iota - 5
	colApprover
	colLastSeenAt
	colLastSeenEvent
	colEntrypoint
	colVersion
	colUpdatedAt
	numColumns

	// numCompared columns make up what a write is decided on: when DorkOS
	// touches last_seen_at or updated_at, nothing has changed.
	numCompared = colRegisteredAt
)

// columnSet marks columns by position.
type columnSet uint64

func (s columnSet) has(i int) bool       { return s&(1<<i) != 0 }
func (s columnSet) with(i int) columnSet { return s | 1<<i }
func (s columnSet) next() int            { return bits.TrailingZeros64(uint64(s)) }
func (s columnSet) rest() columnSet      { return s & (s - 1) }

// when is with(i) or s.
func (s columnSet) when(is bool, i int) columnSet {
	if is {
		return s.with(i)
	}
	return s
}

func fieldColumns(f agent.FieldSet) columnSet { return columnSet(f) << colField }

func columnName(i int) string {
	switch i {
	case colID:
		return "id"
	case colPath:
		return "project_path"
	case colScanRoot:
		return "scan_root"
	case colStatus:
		return "status"
	case colRegisteredAt:
		return "registered_at"
	case colApprover:
		return "approver"
	case colLastSeenAt:
		return "last_seen_at"
	case colLastSeenEvent:
		return "last_seen_event"
	case colEntrypoint:
		return "entrypoint"
	case colVersion:
		return "version"
	case colUpdatedAt:
		return "updated_at"
	}
	return agent.FieldTable[i-colField].Column
}

// selection lists the first n columns for a SELECT.
func (sc *schema) selection(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		if name := columnName(i); sc.has(name) {
			b.WriteString(`"` + name + `"`)
		} else {
			b.WriteString("NULL")
		}
	}
	return b.String()
}

// rowID is the id of the current row. Only text can be an id; what is not shows
// as a literal, so that it is seen and stands for no agent.
func (r *row) rowID() agent.ID {
	if r.ColumnType(colID) == sqlite3.NULL {
		return "(null)"
	}
	return agent.ID(r.text(colID))
}

// record is the current row in full. What the row before (or a zero record) says in
// the same words is shared with it: a fleet has much in common.
func (r *row) record(before *agent.Record) *agent.Record {
	rec := &agent.Record{
		ID:            r.rowID(),
		Path:          r.text(colPath),
		ScanRoot:      r.textLike(colScanRoot, before.ScanRoot),
		Status:        r.textLike(colStatus, before.Status),
		RegisteredAt:  r.text(colRegisteredAt),
		Approver:      r.cellLike(colApprover, before.Approver),
		LastSeenAt:    r.cell(colLastSeenAt),
		LastSeenEvent: r.cell(colLastSeenEvent),
		Entrypoint:    r.cell(colEntrypoint),
		Version:       r.cell(colVersion),
		UpdatedAt:     r.text(colUpdatedAt),
	}
	for i := range rec.Fields {
		rec.Fields[i] = r.cellLike(colField+i, before.Fields[i])
	}
	return rec
}

// row reads the row of an id; nil where there is none.
func (c *conn) row(id agent.ID) (*agent.Record, error) { return c.rowWhere(`id`, string(id)) }

// incumbent reads the row at a path; nil where nobody stands there.
func (c *conn) incumbent(path string) (*agent.Record, error) {
	return c.rowWhere(`project_path`, path)
}

func (c *conn) rowWhere(column, value string) (rec *agent.Record, err error) {
	err = c.readRow(column, value, func(r *row) {
		rec = r.record(&c.before)
		c.before = *rec
	})
	return rec, err
}

// readRow calls f with the row that has value in column, if there is one.
func (c *conn) readRow(column, value string, f func(*row)) error {
	st, err := c.rowStmt(column)
	if err != nil {
		return err
	}
	if err := st.BindText(1, value); err != nil {
		return err
	}
	if st.Step() {
		f(&row{st})
	}
	return errors.Join(st.Err(), st.Reset())
}

func (c *conn) rowStmt(column string) (*sqlite3.Stmt, error) {
	if st := c.rows[column]; st != nil {
		return st, nil
	}
	st, err := c.prepare(`SELECT ` + c.schema.selection(numColumns) + ` FROM agents WHERE ` + column + ` = ?`)
	if err == nil {
		c.rows[column] = st
	}
	return st, err
}

// cellOf is the value that a record has for a column.
func cellOf(rec *agent.Record, i int) agent.Cell {
	switch i {
	case colID:
		return agent.TextCell(string(rec.ID))
	case colPath:
		return agent.TextCell(rec.Path)
	case colScanRoot:
		return agent.TextCell(rec.ScanRoot)
	case colStatus:
		return agent.TextCell(rec.Status)
	case colRegisteredAt:
		return agent.TextCell(rec.RegisteredAt)
	case colApprover:
		return rec.Approver
	case colLastSeenAt:
		return rec.LastSeenAt
	case colLastSeenEvent:
		return rec.LastSeenEvent
	case colEntrypoint:
		return rec.Entrypoint
	case colVersion:
		return rec.Version
	case colUpdatedAt:
		return agent.TextCell(rec.UpdatedAt)
	}
	return rec.Fields[i-colField]
}

func param(column int) string { return "?" + strconv.Itoa(column+1) }
