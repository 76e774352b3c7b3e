package agent

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// What a violation shows of a value and of a path, in bytes before quoting: it
// ends in logs, rows and terminals, and the file is not trusted.
const (
	maxQuoted = 80
	maxField  = 200
)

const duplicateKey = "the key occurs twice in its object; keep one"

// fail refuses the value (or key) that was just read.
func (r *reader) fail(message string) {
	if r.bad == nil {
		r.failAt(r.start, r.fieldPath(r.in.StackPointer()), message)
	}
}

// expected refuses the value that was just read and shows it.
func (r *reader) expected(what string) {
	if r.bad == nil {
		r.fail("expected " + what + ", found " + r.found())
	}
}

// failMissing refuses the object at offset begin, the last one that was read.
func (r *reader) failMissing(begin int, name string) {
	if r.bad == nil {
		r.failAt(begin, joinField(r.fieldPath(r.in.StackPointer()), name), "is required and missing")
	}
}

// failSyntax refuses what is not JSON.
func (r *reader) failSyntax(err error) {
	var syntax *jsontext.SyntacticError
	switch {
	case !errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		r.failAt(len(r.data), "", "the file ends in the middle of the JSON")
	case r.trailingComma(int(syntax.ByteOffset)):
		r.failAt(int(syntax.ByteOffset), "", "not valid JSON: nothing follows this comma; remove it")
	default:
		r.failAt(int(syntax.ByteOffset), "", "not valid JSON: "+syntax.Err.Error())
	}
}

// trailingComma reports whether the commonest slip of hand editing is at offset.
func (r *reader) trailingComma(offset int) bool {
	rest, comma := bytes.CutPrefix(r.data[min(offset, len(r.data)):], []byte(","))
	rest = bytes.TrimLeft(rest, jsonSpace)
	return comma && len(rest) > 0 && (rest[0] == '}' || rest[0] == ']')
}

// failAt records the violation unless there is one, and ends the walk. Line and
// column are counted only here.
func (r *reader) failAt(offset int, field, message string) {
	if r.bad != nil {
		return
	}
	before := r.data[:min(offset, len(r.data))]
	r.bad = &Violation{
		Field:   field,
		Line:    1 + bytes.Count(before, []byte("\n")),
		Column:  len(before) - bytes.LastIndexByte(before, '\n'),
		Message: message,
	}
}

// found describes the last token for people.
func (r *reader) found() string {
	switch r.kind {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return quote(string(r.unquoted()))
	}
	return cut(string(r.raw()))
}

// fieldPath turns a JSON pointer into the form behavior.x, capabilities[3].
func (r *reader) fieldPath(p jsontext.Pointer) string {
	path := ""
	level := 0
	for name := range p.Tokens() {
		level++
		if level <= r.in.StackDepth() {
			if kind, _ := r.in.StackIndex(level); kind == '[' {
				path += "[" + name + "]"
				continue
			}
		}
		path = joinField(path, name)
	}
	return cutAt(path, maxField)
}

func joinField(path, name string) string {
	if !plainName(name) {
		return path + "[" + quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// plainName reports whether a key can stand in a path without quotes.
func plainName(s string) bool { return len(s) <= maxQuoted && validToken(s) }

// quote shows a value with everything that does not print escaped.
func quote(s string) string {
	short := s[:shownLength(s, maxQuoted)]
	if len(short) < len(s) {
		return strconv.Quote(short) + "…"
	}
	return strconv.Quote(s)
}

// cut shows a value that needs no escaping.
func cut(s string) string { return cutAt(s, maxQuoted) }

func cutAt(s string, limit int) string {
	if n := shownLength(s, limit); n < len(s) {
		return s[:n] + "…"
	}
	return s
}

// shownLength is limit bytes at most, at the edge of a character.
func shownLength(s string, limit int) int {
	if len(s) <= limit {
		return len(s)
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return limit
}
