package maildir

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// document is the rules file as it is: its bytes, and where in them the
// entries lie. It is edited by spans, never marshalled anew, so that whatever
// somebody else wrote keeps its bytes.
type document struct {
	raw         []byte
	absent      bool // there is no file; raw is what it would be
	open, close int  // of the array: the offsets of [ and ]
	entries     []entry
	sets        map[string]agent.RuleSet // by namespace; never changed once made
}

// entry is one element of the array.
type entry struct {
	start, end int
	rule       agent.Rule
	// annotated: it has keys beside the four.
	annotated bool
}

// malformed says what is wrong with the file, and where.
type malformed struct {
	line, column int
	what         string
}

func (m *malformed) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", m.line, m.column, m.what)
}

// jsonOptions read as JSON.parse does: of two equal keys the last one counts.
var jsonOptions = jsontext.AllowDuplicateNames(true)

// parse is as strict as the original's own schema: one bad entry makes the
// whole file bad. What it accepts, the original accepts too.
func parse(raw []byte) (*document, error) {
	d := &document{raw: raw}
	dec := jsontext.NewDecoder(bytes.NewBuffer(slices.Clip(raw)), jsonOptions)
	if k := dec.PeekKind(); k != jsontext.KindBeginArray {
		return nil, d.notAnArray(dec)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, d.syntax(err)
	}
	d.open = int(dec.InputOffset()) - 1
	for dec.PeekKind() != jsontext.KindEndArray {
		v, err := dec.ReadValue()
		if err != nil {
			return nil, d.syntax(err)
		}
		e := entry{end: int(dec.InputOffset())}
		e.start = e.end - len(v)
		if e.rule, e.annotated, err = parseRule(v); err != nil {
			return nil, d.at(e.start, fmt.Sprintf("entry %d: %s", len(d.entries)+1, err))
		}
		d.entries = append(d.entries, e)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, d.syntax(err)
	}
	d.close = int(dec.InputOffset()) - 1
	if rest := bytes.TrimLeft(raw[d.close+1:], " \t\r\n"); len(rest) > 0 {
		return nil, d.at(len(raw)-len(rest), "something follows the array")
	}
	d.sets = setsOf(d.entries)
	return d, nil
}

// noDocument is what a file that is not there says.
func noDocument() *document {
	return &document{raw: []byte("[]"), absent: true, close: 1, sets: map[string]agent.RuleSet{}}
}

// is reports whether it is what was read; nil for a file that is not there.
func (d *document) is(read []byte) bool {
	if d.absent {
		return read == nil
	}
	return read != nil && bytes.Equal(read, d.raw)
}

// expected is what a file that is to be replaced holds.
func (d *document) expected() []byte {
	if d.absent {
		return nil
	}
	return d.raw
}

func (d *document) notAnArray(dec *jsontext.Decoder) error {
	if len(bytes.TrimLeft(d.raw, " \t\r\n")) == 0 {
		return d.at(0, "the file is empty")
	}
	if _, err := dec.ReadToken(); err != nil {
		return d.syntax(err)
	}
	return d.at(len(d.raw)-len(bytes.TrimLeft(d.raw, " \t\r\n")), "not an array of rules")
}

// parsedRule is an entry before it was checked.
type parsedRule struct {
	From     *string        `json:"from"`
	To       *string        `json:"to"`
	Action   *string        `json:"action"`
	Priority jsontext.Value `json:"priority"`
	Others   jsontext.Value `json:",embed"`
}

func parseRule(v jsontext.Value) (r agent.Rule, annotated bool, err error) {
	var p parsedRule
	if v.Kind() != jsontext.KindBeginObject {
		return r, false, errors.New("not an object")
	}
	if err := json.Unmarshal(v, &p, jsonOptions); err != nil {
		return r, false, describe(err)
	}
	switch {
	case p.From == nil:
		return r, false, errors.New("from is missing")
	case p.To == nil:
		return r, false, errors.New("to is missing")
	case p.Action == nil || *p.Action != agent.Allow && *p.Action != agent.Deny:
		return r, false, errors.New("action is neither allow nor deny")
	}
	priority, err := parsePriority(p.Priority)
	return agent.Rule{From: *p.From, To: *p.To, Action: *p.Action, Priority: priority}, len(p.Others) > 0, err
}

// parsePriority accepts what JavaScript calls a safe integer, however it is
// written: 1e2 is one.
func parsePriority(v jsontext.Value) (int, error) {
	if v.Kind() != jsontext.KindNumber {
		return 0, errors.New("priority is not a number")
	}
	const limit = 1<<53 - 1
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > limit {
		return 0, errors.New("priority is not an integer")
	}
	return int(f), nil
}

// describe leaves out what a person at an editor cannot use: Go's types.
func describe(err error) error {
	var s *json.SemanticError
	if errors.As(err, &s) && s.JSONPointer != "" {
		return fmt.Errorf("%s has the wrong type", s.JSONPointer.LastToken())
	}
	return err
}

func (d *document) syntax(err error) error {
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return d.at(int(s.ByteOffset), s.Err.Error())
	}
	return d.at(len(d.raw), "the file ends in the middle")
}

// at turns an offset into a place that an editor can be sent to. Columns count
// bytes, from 1.
func (d *document) at(offset int, what string) error {
	before := d.raw[:min(offset, len(d.raw))]
	return &malformed{
		line:   1 + bytes.Count(before, []byte{'\n'}),
		column: len(before) - bytes.LastIndexByte(before, '\n'),
		what:   what,
	}
}
