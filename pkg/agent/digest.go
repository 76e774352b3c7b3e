package agent

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// Digest sums up the fields of a row that follow from the manifest alone: all
// but the namespace, which depends on the place. Two rows with one digest hold
// the same; it is never zero.
func (f *Fields) Digest() uint64 {
	d := NewDigester()
	for i := range f {
		d.Add(i, f[i].Kind, f[i].Text)
	}
	return d.Sum()
}

// Digester makes a digest of fields that come one after the other, in the order
// of the table.
type Digester struct{ h xxhash.Digest }

// NewDigester begins.
func NewDigester() *Digester {
	d := &Digester{}
	d.h.Reset()
	return d
}

// Add takes the value of the field at position i.
func (d *Digester) Add(i int, kind CellKind, text string) {
	if i != FieldNamespace {
		d.begin(i, kind, len(text))
		_, _ = d.h.WriteString(text)
	}
}

// AddRaw is Add without a string.
func (d *Digester) AddRaw(i int, kind CellKind, text []byte) {
	if i != FieldNamespace {
		d.begin(i, kind, len(text))
		_, _ = d.h.Write(text)
	}
}

func (d *Digester) begin(i int, kind CellKind, size int) {
	head := [6]byte{byte(i), byte(kind)}
	binary.LittleEndian.PutUint32(head[2:], uint32(size))
	_, _ = d.h.Write(head[:])
}

// Sum is the digest of what was added.
func (d *Digester) Sum() uint64 { return max(d.h.Sum64(), 1) }
