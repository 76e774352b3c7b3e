package maildir

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// style is how the entries of a file are laid out: the exact bytes between
// their parts, line ends included.
type style struct {
	between string // two entries
	open    string // { and the first key
	colon   string // a key and its value
	comma   string // a value and the next key
	close   string // the last value and }
}

// defaultStyle is the original's: two spaces.
var defaultStyle = style{
	between: ",\n  ",
	open:    "{\n    ",
	colon:   ": ",
	comma:   ",\n    ",
	close:   "\n  }",
}

// maxFiller bounds what is taken over as style, so that odd white space is not
// multiplied.
const maxFiller = 256

// style is taken from the neighbour of the position that entries go in front
// of.
func (d *document) style(k int) style {
	neighbour := d.entries[max(k-1, 0)]
	s := styleOf(d.raw[neighbour.start:neighbour.end])
	s.between = d.between(k)
	for _, part := range []string{s.between, s.open, s.colon, s.comma, s.close} {
		if part == "" || len(part) > maxFiller {
			return defaultStyle
		}
	}
	return s
}

func (d *document) between(k int) string {
	n := len(d.entries)
	if n == 1 {
		return "," + string(d.raw[d.open+1:d.entries[0].start])
	}
	k = min(max(k, 1), n-1)
	return string(d.raw[d.entries[k-1].end:d.entries[k].start])
}

// styleOf reads the style off an entry, which is an object with four keys or
// more.
func styleOf(v []byte) (s style) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(slices.Clip(v)), jsonOptions)
	end := 0
	next := func() (gap string) { // reads a key or a value
		t, err := dec.ReadValue()
		if err != nil {
			return ""
		}
		gap = string(v[end : int(dec.InputOffset())-len(t)])
		end = int(dec.InputOffset())
		return gap
	}
	if _, err := dec.ReadToken(); err != nil {
		return s
	}
	s.open = next()
	s.colon = next()
	s.comma = next()
	for dec.PeekKind() != jsontext.KindEndObject {
		if next() == "" {
			return s
		}
	}
	s.close = string(v[end:])
	return s
}

// render appends a rule. Patterns hold no character that JSON escapes.
func (s *style) render(out []byte, r agent.Rule) []byte {
	out = append(out, s.open...)
	for i, kv := range [][2]string{
		{"from", `"` + r.From + `"`},
		{"to", `"` + r.To + `"`},
		{"action", `"` + r.Action + `"`},
		{"priority", strconv.Itoa(r.Priority)},
	} {
		if i > 0 {
			out = append(out, s.comma...)
		}
		out = append(out, `"`+kv[0]+`"`...)
		out = append(out, s.colon...)
		out = append(out, kv[1]...)
	}
	return append(out, s.close...)
}
