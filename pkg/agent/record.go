package agent

// Status of a row.
const (
	Active      = "active"
	Unreachable = "unreachable"
)

// CellKind tells how a value is stored in the index.
type CellKind uint8

// The kinds. Other is a type that no column of ours ever holds (REAL, BLOB):
// always drift.
const (
	Null CellKind = iota
	Text
	Integer
	Other
)

// Cell is one value of a row, comparable. Integers are kept in decimal.
type Cell struct {
	Kind CellKind
	Text string
}

// TextCell is a TEXT value.
func TextCell(s string) Cell { return Cell{Text, s} }

// BoolCell is 0 or 1.
func BoolCell(b bool) Cell {
	if b {
		return Cell{Integer, "1"}
	}
	return Cell{Integer, "0"}
}

// OptionalCell is NULL for nil.
func OptionalCell(s *string) Cell {
	if s == nil {
		return Cell{}
	}
	return TextCell(*s)
}

// String is the value for people; NULL reads "null".
func (c Cell) String() string {
	if c.Kind == Null {
		return "null"
	}
	return c.Text
}

// Record is a row of the index. Fields holds the columns that follow the
// manifest, by position in the field table; a column that the index does not
// have is never written and reads as what is desired.
type Record struct {
	ID       ID
	Path     string // project_path, unique
	ScanRoot string // "" where the project lies outside every root
	Status   string
	Fields   Fields

	// Written when the row is made, or restored from a tombstone; never later.
	RegisteredAt  string
	Approver      Cell
	LastSeenAt    Cell
	LastSeenEvent Cell
	Entrypoint    Cell
	Version       Cell

	UpdatedAt string
}

// Namespace of the row.
func (r *Record) Namespace() string { return r.Fields[FieldNamespace].Text }

// Name of the row.
func (r *Record) Name() string { return r.Fields[FieldName].Text }

// Subject is the address that the row stands for.
func (r *Record) Subject() Subject { return SubjectOf(r.Namespace(), r.ID) }

// System reports whether the row is a system agent's.
func (r *Record) System() bool { return r.Fields[FieldIsSystem] == BoolCell(true) }
