package store

import (
	"encoding/binary"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/ncruces/go-sqlite3"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// sum is a hash of the compared columns of the current row.
func (c *conn) sum(r *row) uint64 {
	b := c.buf[:0]
	for i := colPath; i < numCompared; i++ {
		b = r.appendCell(b, i)
	}
	c.buf = b
	return xxhash.Sum64(b)
}

// sumOf is the hash of an id's row as it stands.
func (c *conn) sumOf(id agent.ID) (sum uint64, err error) {
	err = c.readRow(`id`, string(id), func(r *row) { sum = c.sum(r) })
	return sum, err
}

// foretell is the hash of the row that was stored, of rec in the columns of set
// and of was in the others (nil: a new row), where that can be told without
// looking.
func (c *conn) foretell(was, rec *agent.Record, set columnSet) (sum uint64, told bool) {
	sc := c.schema
	if !sc.verbatim {
		return 0, false
	}
	b := c.buf[:0]
	for i := colPath; i < numCompared; i++ {
		var cell agent.Cell
		switch {
		case set.has(i):
			cell = cellOf(rec, i)
			if cell.Kind == agent.Text && !sc.texts.has(i) || cell.Kind == agent.Integer && !sc.integers.has(i) {
				return 0, false
			}
		case was != nil:
			cell = cellOf(was, i)
		case !sc.nullsLeft.has(i):
			return 0, false
		}
		if b, told = appendValue(b, cell); !told {
			return 0, false
		}
	}
	c.buf = b
	return xxhash.Sum64(b), true
}

// appendCell adds an unambiguous form of a value of the current row to b.
func (r *row) appendCell(b []byte, i int) []byte {
	switch kind := r.ColumnType(i); kind {
	case sqlite3.NULL:
		return append(b, byte(kind))
	case sqlite3.INTEGER:
		return binary.LittleEndian.AppendUint64(append(b, byte(kind)), uint64(r.ColumnInt64(i)))
	case sqlite3.TEXT:
		raw := r.ColumnRawText(i)
		return append(binary.AppendUvarint(append(b, byte(kind)), uint64(len(raw))), raw...)
	default:
		raw := r.ColumnRawBlob(i)
		return append(binary.AppendUvarint(append(b, byte(kind)), uint64(len(raw))), raw...)
	}
}

// appendValue adds what appendCell adds for a cell, as far as it knows.
func appendValue(b []byte, c agent.Cell) (_ []byte, known bool) {
	switch c.Kind {
	case agent.Null:
		return append(b, byte(sqlite3.NULL)), true
	case agent.Text:
		return append(binary.AppendUvarint(append(b, byte(sqlite3.TEXT)), uint64(len(c.Text))), c.Text...), true
	case agent.Integer:
		n, err := strconv.ParseInt(c.Text, 10, 64)
		return binary.LittleEndian.AppendUint64(append(b, byte(sqlite3.INTEGER)), uint64(n)), err == nil
	case agent.Other:
	}
	return b, false
}
