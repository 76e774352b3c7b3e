package agent

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// The kinds of value of a manifest. Each method takes the value whose first
// token was just read.

// maxSafeInteger is the largest integer that JavaScript counts to without loss.
const maxSafeInteger = 1<<53 - 1

func (r *reader) text() string {
	if r.kind != '"' {
		r.expected("a string")
		return ""
	}
	s := r.str()
	if deceives(s) {
		r.expected("a string without NUL and without characters that reorder the text around them")
	}
	return s
}

// deceives reports whether s holds NUL, which ends strings elsewhere, or one of
// the bidirectional embeddings, overrides and isolates, with which a name reads
// as another one in a terminal or a page. Plain direction marks are allowed.
func deceives(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool {
		return c == 0 || '\u202a' <= c && c <= '\u202e' || '\u2066' <= c && c <= '\u2069'
	})
}

func (r *reader) nonEmpty() string {
	s := r.text()
	if s == "" {
		r.expected("a string that is not empty")
	}
	return s
}

// atMost is a string of at most limit UTF-16 units.
func (r *reader) atMost(limit int) string {
	s := r.text()
	// A string never has more units than bytes.
	if len(s) > limit && UTF16Length(s) > limit {
		r.expected("at most " + strconv.Itoa(limit) + " characters (UTF-16 units)")
	}
	return s
}

func (r *reader) id() ID {
	id := ID(r.text())
	if !id.Valid() {
		r.expected("1 to 64 of the characters A-Z a-z 0-9 _ - (give the agent another id, such as a ULID)")
	}
	return id
}

// token is a string of the grammar of an id.
func (r *reader) token() {
	if !ID(r.text()).Valid() {
		r.expected("1 to 64 of the characters A-Z a-z 0-9 _ -")
	}
}

func (r *reader) namespace() string {
	s := r.atMost(MaxNamespace)
	if Blank(s) {
		return s
	}
	if n, ok := NormalizeNamespace(s); n == "" {
		r.expected("at least one letter a-z or digit (leave the field out to derive the namespace from the path)")
	} else if !ok {
		r.expected("at most 64 characters once it is normalised")
	}
	return s
}

func (r *reader) oneOf(words []string) string {
	if r.kind == '"' {
		text := r.unquoted()
		for _, w := range words {
			if w == string(text) {
				return w
			}
		}
	}
	r.expected("one of " + strings.Join(words, ", "))
	return ""
}

// lenient is a string that is not empty, one of words unless that is nil.
// Anything else is as good as absent: a model that a newer tool wrote in
// another form must not take the agent down.
func (r *reader) lenient(words []string) *string {
	if r.kind == '"' {
		if s := r.str(); s != "" && (words == nil || slices.Contains(words, s)) {
			return &s
		}
	}
	r.skip()
	return nil
}

func (r *reader) boolean() bool {
	if r.kind != 't' && r.kind != 'f' {
		r.expected("true or false")
	}
	return r.kind == 't'
}

// number is a finite number as JSON.stringify would write it.
func (r *reader) number() string {
	f, ok := r.float()
	if !ok {
		r.expected("a number")
		return ""
	}
	return string(jsontext.AppendFloat(nil, f, 64))
}

// integer knows integers as JavaScript does: 5.0 and 5e0 are 5.
func (r *reader) integer(low, high int64) int64 {
	f, ok := r.float()
	if !ok || f != math.Trunc(f) || f < float64(low) || f > float64(high) {
		r.expected("an integer from " + strconv.FormatInt(low, 10) + " to " + strconv.FormatInt(high, 10))
		return 0
	}
	return int64(f)
}

// float reports false for another kind of value and for a number that
// JavaScript would take for infinity. Minus zero is zero, as it is written.
func (r *reader) float() (float64, bool) {
	if r.kind != '0' {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(r.raw()), 64)
	if f == 0 {
		f = 0
	}
	return f, err == nil
}

func (r *reader) dial() int { return int(r.integer(1, 5)) }

func (r *reader) capabilities() []string {
	var list []string
	r.array(func(i int) {
		if i == MaxCapabilities {
			r.fail("expected at most " + strconv.Itoa(MaxCapabilities) + " capabilities")
			return
		}
		list = append(list, r.text())
	})
	return list
}

func (r *reader) anyObject() {
	if r.kind != '{' {
		r.expected("an object")
		return
	}
	r.skip()
}

func (r *reader) instant() string {
	s := r.text()
	if !validInstant(s) {
		r.expected("a UTC time like 2026-01-31T12:00:00Z")
	}
	return s
}

// foldKey maps keys that differ only in letter case to one.
func foldKey(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, s)
}
