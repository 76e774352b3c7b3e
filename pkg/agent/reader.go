package agent

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonSpace is the white space of JSON.
const jsonSpace = " \t\r\n"

// reader walks a document token by token and knows where each one stands. The
// first violation ends the walk: from then on next reports no kind, and what
// the other methods return is not used.
type reader struct {
	data []byte
	in   *jsontext.Decoder
	// The last token: what it is and where it stands in data.
	kind       jsontext.Kind
	start, end int
	bad        *Violation
}

// newReader leaves it to readObject and skip to find keys that occur twice: for
// most keys that takes one bit.
func newReader(data []byte) *reader {
	return &reader{
		data: data,
		in:   jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true)),
	}
}

// next reads one token, a key included. It reports 0 at the first violation
// and ever after.
func (r *reader) next() jsontext.Kind {
	if r.bad != nil {
		return 0
	}
	token, err := r.in.ReadToken()
	if err != nil {
		r.failSyntax(err)
		return 0
	}
	r.start = r.end + delimiters(r.data[r.end:])
	r.end = int(r.in.InputOffset())
	r.kind = token.Kind()
	if r.in.StackDepth() > MaxManifestDepth {
		r.fail("objects and arrays nest deeper than 32 levels")
		return 0
	}
	return r.kind
}

// delimiters is how many bytes stand before the next token.
func delimiters(b []byte) int {
	for i, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n', ':', ',':
		default:
			return i
		}
	}
	return len(b)
}

// raw is the last token as written.
func (r *reader) raw() []byte { return r.data[r.start:r.end] }

// unquoted is the text of the last token, a string. It may alias the data.
func (r *reader) unquoted() []byte {
	raw := r.raw()
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	// The token was read, so it is well-formed.
	text, _ := jsontext.AppendUnquote(nil, raw)
	return text
}

// skip reads the rest of a value whose first token was just read, whatever it
// holds; only a key that occurs twice is refused.
func (r *reader) skip() {
	switch r.kind {
	case '[':
		r.array(func(int) { r.skip() })
	case '{':
		keys := make(map[string]struct{})
		for r.next() == '"' {
			key := string(r.unquoted())
			if _, twice := keys[key]; twice {
				r.fail(duplicateKey)
			}
			keys[key] = struct{}{}
			r.next()
			r.skip()
		}
	}
}

// finish refuses whatever follows the document.
func (r *reader) finish() {
	if r.bad != nil {
		return
	}
	rest := bytes.TrimLeft(r.data[r.end:], jsonSpace)
	if len(rest) > 0 {
		r.failAt(len(r.data)-len(rest), "", "the manifest ends before this; remove what follows")
	}
}

// array calls element for each element, its first token read.
func (r *reader) array(element func(i int)) {
	if r.kind != '[' {
		r.expected("an array")
		return
	}
	for i := 0; ; i++ {
		if k := r.next(); k == ']' || k == 0 {
			return
		}
		element(i)
	}
}

// readObject reads the members that are known into into and skips the others.
func readObject[T any](r *reader, known []member[T], into *T) {
	if r.kind != '{' {
		r.expected("an object")
		return
	}
	begin := r.start
	var seen uint64
	var others map[string]string
	// Files tend to be in the schema's order: looking from the last hit on
	// finds most keys at the first try.
	from := 0
	for r.next() == '"' {
		i := findMember(known, r.unquoted(), from)
		if i < 0 {
			others = unknownKey(r, known, others)
			r.next()
			r.skip()
			continue
		}
		if seen&(1<<i) != 0 {
			r.fail(duplicateKey)
		}
		seen |= 1 << i
		from = i + 1
		r.next()
		known[i].read(r, into)
	}
	for i := range known {
		if known[i].required && seen&(1<<i) == 0 {
			r.failMissing(begin, known[i].name)
		}
	}
}

func findMember[T any](known []member[T], key []byte, from int) int {
	for i := from; i < len(known); i++ {
		if known[i].name == string(key) {
			return i
		}
	}
	for i := range min(from, len(known)) {
		if known[i].name == string(key) {
			return i
		}
	}
	return -1
}

// unknownKey refuses a key that is another one of the object, in the same or in
// a different letter case, and remembers it in others by its folded form.
func unknownKey[T any](r *reader, known []member[T], others map[string]string) map[string]string {
	key := string(r.unquoted())
	for i := range known {
		if strings.EqualFold(known[i].name, key) {
			r.fail("expected the key " + quote(known[i].name) + ", found it in another letter case")
			return others
		}
	}
	folded := foldKey(key)
	switch other, twice := others[folded]; {
	case twice && other == key:
		r.fail(duplicateKey)
	case twice:
		r.fail("differs from the key " + quote(other) + " only in letter case; keep one")
	}
	if others == nil {
		others = make(map[string]string)
	}
	others[folded] = key
	return others
}
