package agent

import (
	"strconv"
	"strings"
)

// The JSON columns hold what JSON.stringify writes, in the original's key
// order: it compares them as strings and would otherwise rewrite the row at
// every pass.

func capabilitiesJSON(list []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		appendJSString(&b, s)
	}
	b.WriteByte(']')
	return b.String()
}

func (v Behavior) json() string {
	var b strings.Builder
	b.WriteString(`{"responseMode":`)
	appendJSString(&b, v.ResponseMode)
	if v.EscalationThreshold != "" {
		b.WriteString(`,"escalationThreshold":`)
		b.WriteString(v.EscalationThreshold)
	}
	b.WriteByte('}')
	return b.String()
}

func (v Budget) json() string {
	return `{"maxHopsPerMessage":` + strconv.FormatInt(v.MaxHopsPerMessage, 10) +
		`,"maxCallsPerHour":` + strconv.FormatInt(v.MaxCallsPerHour, 10) + `}`
}

func (v *Traits) cell() Cell {
	if v == nil {
		return Cell{}
	}
	var b strings.Builder
	for i, d := range []struct {
		key   string
		value int
	}{
		{"verbosity", v.Verbosity},
		{"autonomy", v.Autonomy},
		{"chaos", v.Chaos},
		{"creativity", v.Creativity},
		{"humor", v.Humor},
		{"spice", v.Spice},
	} {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(`"` + d.key + `":` + strconv.Itoa(d.value))
	}
	b.WriteByte('}')
	return TextCell(b.String())
}

func (v *Conventions) cell() Cell {
	if v == nil {
		return Cell{}
	}
	return TextCell(`{"soul":` + strconv.FormatBool(v.Soul) +
		`,"nope":` + strconv.FormatBool(v.Nope) +
		`,"dorkosKnowledge":` + strconv.FormatBool(v.DorkosKnowledge) + `}`)
}

// appendJSString quotes as JSON.stringify does: only the quote, the backslash
// and control characters are escaped.
func appendJSString(b *strings.Builder, s string) {
	const hex = "0123456789abcdef"
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\b':
			b.WriteString(`\b`)
		case c == '\f':
			b.WriteString(`\f`)
		case c < 0x20:
			b.WriteString(`\u00`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
