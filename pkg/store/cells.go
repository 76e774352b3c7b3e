package store

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

const textType = sqlite3.TEXT

// row is the current row of a statement. Cells of an unexpected type are read
// all the same: a malformed cell is drift, and hurts no other row.
type row struct{ *sqlite3.Stmt }

// cell is the value as it is.
func (r *row) cell(i int) agent.Cell {
	switch r.ColumnType(i) {
	case sqlite3.NULL:
		return agent.Cell{}
	case sqlite3.TEXT:
		return agent.TextCell(string(r.ColumnRawText(i)))
	case sqlite3.INTEGER:
		return agent.Cell{Kind: agent.Integer, Text: strconv.FormatInt(r.ColumnInt64(i), 10)}
	case sqlite3.FLOAT:
		return agent.Cell{Kind: agent.Other, Text: formatReal(r.ColumnFloat(i))}
	default:
		return agent.Cell{Kind: agent.Other, Text: formatBlob(r.ColumnRawBlob(i))}
	}
}

// text is the value of a column that should hold text. NULL is "", and what is
// no text reads like an SQL literal (x'6162'), which no text of ours equals.
func (r *row) text(i int) string {
	if r.ColumnType(i) == sqlite3.TEXT {
		return string(r.ColumnRawText(i))
	}
	return r.cell(i).Text
}

// textLike is text, in the memory of like where that says the same.
func (r *row) textLike(i int, like string) string {
	if r.reads(i, like) {
		return like
	}
	return r.text(i)
}

// cellLike is cell, in the memory of like where that is the same.
func (r *row) cellLike(i int, like agent.Cell) agent.Cell {
	if r.holds(i, like) {
		return like
	}
	return r.cell(i)
}

// reads reports whether text is what text would return.
func (r *row) reads(i int, text string) bool {
	if r.ColumnType(i) == sqlite3.TEXT {
		return string(r.ColumnRawText(i)) == text
	}
	return r.cell(i).Text == text
}

// holds reports whether c is what cell would return.
func (r *row) holds(i int, c agent.Cell) bool {
	if r.ColumnType(i) == sqlite3.TEXT {
		return c.Kind == agent.Text && string(r.ColumnRawText(i)) == c.Text
	}
	return r.cell(i) == c
}

// int is the value of a column that should hold an integer, 0 for anything else.
func (r *row) int(i int) int64 {
	if r.ColumnType(i) != sqlite3.INTEGER {
		return 0
	}
	return r.ColumnInt64(i)
}

func formatReal(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func formatBlob(b []byte) string { return "x'" + hex.EncodeToString(b) + "'" }

// bindCell writes a cell back as it was read.
func bindCell(st *sqlite3.Stmt, i int, c agent.Cell) error {
	switch c.Kind {
	case agent.Null:
		return st.BindNull(i)
	case agent.Text:
		return st.BindText(i, c.Text)
	case agent.Integer:
		n, err := strconv.ParseInt(c.Text, 10, 64)
		if err != nil {
			return err
		}
		return st.BindInt64(i, n)
	case agent.Other:
	}
	if quoted, ok := strings.CutPrefix(c.Text, "x'"); ok {
		b, err := hex.DecodeString(strings.TrimSuffix(quoted, "'"))
		if err != nil {
			return err
		}
		return st.BindBlob(i, b)
	}
	f, err := strconv.ParseFloat(c.Text, 64)
	if err != nil {
		return err
	}
	return st.BindFloat(i, f)
}

// binder is a statement that knows what is bound to it: values that stay from row
// to row are bound once.
type binder struct {
	*sqlite3.Stmt
	bound [numColumns]agent.Cell // NULL at first
}

// set binds a value to parameter i+1.
func (st *binder) set(i int, c agent.Cell) error {
	if st.bound[i] == c {
		return nil
	}
	if err := bindCell(st.Stmt, i+1, c); err != nil {
		return err
	}
	st.bound[i] = c
	return nil
}
