package agent

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// layout is how a document is written, as far as its first member tells.
type layout struct {
	// lines: members stand on lines of their own.
	lines   bool
	newline string
	unit    string // one level of indentation
	// What follows a colon, and a comma between members of one line.
	colon, comma string
}

const lineEnds = "\r\n"

// layoutOf reads the layout off the outermost object. One without members is
// written like a fresh manifest.
func layoutOf(data []byte, o written) layout {
	page := layout{lines: true, newline: "\n", unit: "  ", colon: " "}
	if bytes.Contains(data, []byte("\r\n")) {
		page.newline = "\r\n"
	}
	if len(o.members) == 0 {
		return page
	}
	first := o.members[0]
	page.lines = beginsLine(data, first.key.start)
	if page.lines {
		page.unit = strings.TrimPrefix(lineIndent(data, first.key.start), lineIndent(data, o.start))
	}
	if between := data[first.key.end:first.value.start]; between[len(between)-1] == ':' {
		page.colon = ""
	}
	page.comma = page.colon
	if len(o.members) > 1 && data[o.members[1].key.start-1] == ',' {
		page.comma = ""
	}
	return page
}

// insert adds a member at the end of an object: on a line of its own if one of
// the others has that.
func (page layout) insert(data []byte, o written, name string, v jsontext.Value) []byte {
	key := append(quoteKey(name), ":"+page.colon...)
	if len(o.members) == 0 {
		return splice(data, o.span, page.single(data, o, key, v))
	}
	end := o.members[len(o.members)-1].value.end
	before, indent, lines := page.comma, lineIndent(data, end), false
	for _, m := range slices.Backward(o.members) {
		if beginsLine(data, m.key.start) {
			indent, lines = lineIndent(data, m.key.start), true
			before = page.newline + indent
			break
		}
	}
	member := slices.Concat([]byte(","+before), key, page.render(v, lines, indent))
	return splice(data, span{end, end}, member)
}

// single is an object with one member, in place of the empty object o.
func (page layout) single(data []byte, o written, key []byte, v jsontext.Value) []byte {
	if !page.lines {
		return slices.Concat([]byte("{"), key, page.render(v, false, ""), []byte("}"))
	}
	outer := lineIndent(data, o.start)
	inner := outer + page.unit
	return slices.Concat(
		[]byte("{"+page.newline+inner), key, page.render(v, true, inner),
		[]byte(page.newline+outer+"}"))
}

// replace writes another value in the place of a member's. A list that stood on
// one line stays on one line.
func (page layout) replace(data []byte, m writtenMember, v jsontext.Value) []byte {
	old := data[m.value.start:m.value.end]
	if sameJSON(old, v) {
		return data
	}
	lines := beginsLine(data, m.key.start)
	if (old[0] == '{' || old[0] == '[') && len(old) > len("{}") {
		lines = bytes.ContainsAny(old, lineEnds)
	}
	return splice(data, m.value, page.render(v, lines, lineIndent(data, m.key.start)))
}

// render writes a value, valid JSON, whose first line is indented by indent.
func (page layout) render(v jsontext.Value, lines bool, indent string) []byte {
	options := []jsontext.Options{jsontext.SpaceAfterColon(page.colon != ""), jsontext.SpaceAfterComma(page.comma != "")}
	if lines {
		options = []jsontext.Options{
			jsontext.SpaceAfterColon(page.colon != ""), jsontext.SpaceAfterComma(false),
			jsontext.WithIndent(page.unit), jsontext.WithIndentPrefix(indent),
		}
	}
	// The value was checked, so it can be formatted.
	b, _ := jsontext.AppendFormat(nil, v, options...)
	if lines && page.newline != "\n" {
		// Inside a string a line end is always escaped.
		b = bytes.ReplaceAll(b, []byte("\n"), []byte(page.newline))
	}
	return b
}

// quoteKey is a key as JSON.
func quoteKey(name string) []byte {
	// Only text that is not UTF-8 is an error, and becomes text that is.
	b, _ := jsontext.AppendQuote(nil, name)
	return b
}

// beginsLine reports whether nothing but white space stands before offset at.
func beginsLine(data []byte, at int) bool {
	before := bytes.TrimRight(data[:at], " \t")
	return bytes.ContainsAny(before[max(0, len(before)-1):], lineEnds)
}

// lineIndent is the blanks and tabs that begin the line of offset at.
func lineIndent(data []byte, at int) string {
	line := data[bytes.LastIndexAny(data[:at], lineEnds)+1 : at]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}
