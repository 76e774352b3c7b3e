package agent

import (
	"bytes"
	"strings"
	"sync"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonSpace is the white space of JSON.
const jsonSpace = " \t\r\n"

// reader walks a document token by token and knows where each one stands. The
// first violation ends the walk: from then on next reports no kind, and what
// the other methods return is not used.
type reader struct {
	data []byte
	// aliases: text that is handed out may share memory with data.
	aliases bool
	*decoder
	// The last token: what it is and where it stands in data.
	kind       jsontext.Kind
	start, end int
	bad        *Violation
}

// decoder is used for one document after the other.
type decoder struct {
	in   jsontext.Decoder
	from bytes.Buffer
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// newReader leaves it to readObject and skip to find keys that occur twice: for
// most keys that takes one bit. Whoever made it releases it.
func newReader(data []byte) *reader {
	d, _ := decoders.Get().(*decoder)
	d.from = *bytes.NewBuffer(data)
	d.in.Reset(&d.from, jsontext.AllowDuplicateNames(true))
	return &reader{data: data, decoder: d}
}

// release ends the use of a reader, which keeps nothing of its document.
func (r *reader) release() {
	r.from = bytes.Buffer{}
	r.in.Reset(&r.from)
	decoders.Put(r.decoder)
	r.decoder = nil
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

// str is the text of the last token, a string.
func (r *reader) str() string {
	text := r.unquoted()
	if r.aliases {
		return unsafe.String(unsafe.SliceData(text), len(text))
	}
	return string(text)
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
	var others otherKeys
	// Files tend to be in the schema's order: looking from the last hit on
	// finds most keys at the first try.
	from := 0
	for r.next() == '"' {
		i := findMember(known, r.unquoted(), from)
		if i < 0 {
			unknownKey(r, known, &others)
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

// otherKeys are the keys of an object that are not known, by their folded forms.
// Of the first few it makes no garbage.
type otherKeys struct {
	few  [4]struct{ folded, key string }
	n    int
	many map[string]string
}

func (o *otherKeys) find(folded string) (key string, found bool) {
	for i := range o.few[:min(o.n, len(o.few))] {
		if o.few[i].folded == folded {
			return o.few[i].key, true
		}
	}
	key, found = o.many[folded]
	return key, found
}

func (o *otherKeys) add(folded, key string) {
	if o.n < len(o.few) {
		o.few[o.n].folded, o.few[o.n].key = folded, key
		o.n++
		return
	}
	if o.many == nil {
		o.many = make(map[string]string)
	}
	o.many[folded] = key
}

// unknownKey refuses a key that is another one of the object, in the same or in
// a different letter case, and remembers it in others.
func unknownKey[T any](r *reader, known []member[T], others *otherKeys) {
	key := string(r.unquoted())
	for i := range known {
		if strings.EqualFold(known[i].name, key) {
			r.fail("expected the key " + quote(known[i].name) + ", found it in another letter case")
			return
		}
	}
	folded := foldKey(key)
	switch other, twice := others.find(folded); {
	case twice && other == key:
		r.fail(duplicateKey)
	case twice:
		r.fail("differs from the key " + quote(other) + " only in letter case; keep one")
	}
	others.add(folded, key)
}
