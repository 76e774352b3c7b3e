package agent

import (
	"strings"
	"unicode/utf8"
)

// ID names an agent for life. It is copied from the manifest and never minted
// by convergence. The grammar, ^[A-Za-z0-9_-]{1,64}$, is stricter than the
// original's "any string": a dot or a wildcard in an id would break out of the
// namespace rules of the relay.
type ID string

// MaxIDLength bounds an id in bytes.
const MaxIDLength = 64

// Valid reports whether the id fits the grammar.
func (id ID) Valid() bool {
	return len(id) <= MaxIDLength && validToken(string(id))
}

// Fold is the id without its letter case: two ids with one fold cannot both
// live in a relay, since a mailbox is a directory and some file systems do not
// tell them apart.
func (id ID) Fold() string { return strings.ToLower(string(id)) }

// AppendFold appends Fold to b. It allocates for an id that is none by the
// grammar.
func (id ID) AppendFold(b []byte) []byte {
	at := len(b)
	b = append(b, id...)
	for i := at; i < len(b); i++ {
		switch c := b[i]; {
		case c >= utf8.RuneSelf:
			return append(b[:at], id.Fold()...)
		case 'A' <= c && c <= 'Z':
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}

// Capital reports whether the id has no letter but capital ones of ASCII, as a
// ULID has. Two of these have one fold only if they are equal.
func (id ID) Capital() bool {
	for i := range len(id) {
		if c := id[i]; 'a' <= c && c <= 'z' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// validToken reports whether s is one concrete token of a relay subject.
func validToken(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
