package agent

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Assignment sets one field of a manifest.
type Assignment struct {
	// Field is a key of the manifest or a path into it, behavior.responseMode.
	Field string
	// Value to write; nil removes the key.
	Value jsontext.Value
}

// EditManifest carries out the assignments in their order and keeps everything
// else of the file byte for byte: unknown keys, the order of keys, indentation,
// line ends. A new key goes to the end of its object and looks like its
// neighbours; an object on the way that is not there is made. Setting what is
// already there and removing what is not change nothing: data itself comes back
// when nothing did.
//
// The file need not be a valid manifest before, it must be one afterwards: the
// error wraps the Violation otherwise. A value that a reader would ignore is
// refused as well. data is never written to.
func EditManifest(data []byte, set []Assignment) ([]byte, error) {
	for _, a := range set {
		edited, err := assign(data, a)
		if err != nil {
			return nil, fmt.Errorf("set %s: %w", a.Field, err)
		}
		data = edited
	}
	m, v := DecodeManifest(data)
	if v != nil {
		return nil, fmt.Errorf("the edited manifest is not valid: %w", v)
	}
	for _, a := range set {
		if a.Value != nil && m.ignores(a.Field) {
			return nil, fmt.Errorf("set %s: every reader would ignore %s", a.Field, cut(string(a.Value)))
		}
	}
	return data, nil
}

// ignores reports whether a lenient field is absent.
func (m *Manifest) ignores(field string) bool {
	switch field {
	case "model":
		return m.Model == nil
	case "effort":
		return m.Effort == nil
	case "account":
		return m.Account == nil
	}
	return false
}

func assign(data []byte, a Assignment) ([]byte, error) {
	path := strings.Split(a.Field, ".")
	if slices.Contains(path, "") {
		return nil, errors.New("not the name of a field")
	}
	if a.Value != nil && !a.Value.IsValid() {
		return nil, errors.New("the value is not valid JSON")
	}
	o, err := scanObject(data, 0)
	if err != nil {
		return nil, err
	}
	page := layoutOf(data, o)
	for len(path) > 1 {
		m := o.find(path[0])
		if m < 0 {
			break
		}
		if o, err = scanObject(data, o.members[m].value.start); err != nil {
			return nil, err
		}
		path = path[1:]
	}
	m := o.find(path[0])
	switch {
	case a.Value == nil && m < 0:
		return data, nil
	case a.Value == nil:
		return o.remove(data, m), nil
	case m < 0:
		return page.insert(data, o, path[0], nest(path[1:], a.Value)), nil
	}
	return page.replace(data, o.members[m], a.Value), nil
}

// nest wraps a value in the objects that the path names.
func nest(path []string, v jsontext.Value) jsontext.Value {
	for _, name := range slices.Backward(path) {
		v = slices.Concat([]byte("{"), quoteKey(name), []byte(":"), v, []byte("}"))
	}
	return v
}

// span is a range of offsets in a document.
type span struct{ start, end int }

// written is an object as it stands in a document.
type written struct {
	span
	members []writtenMember
}

type writtenMember struct {
	name       string
	key, value span
}

// scanObject finds the members of the object that begins at or after offset at.
func scanObject(data []byte, at int) (written, error) {
	if problem := unreadable(data); problem != "" {
		return written{}, errors.New(problem)
	}
	r := newReader(data[at:])
	defer r.release()
	if r.next() != '{' {
		r.expected("an object")
		return written{}, r.bad
	}
	o := written{span: span{start: at + r.start}}
	for r.next() == '"' {
		m := writtenMember{name: string(r.unquoted()), key: span{at + r.start, at + r.end}}
		r.next()
		m.value.start = at + r.start
		r.skip()
		m.value.end = at + r.end
		o.members = append(o.members, m)
	}
	if r.bad != nil {
		return written{}, r.bad
	}
	o.end = at + r.end
	return o, nil
}

// find is the position of a member, -1 where there is none.
func (o *written) find(name string) int {
	return slices.IndexFunc(o.members, func(m writtenMember) bool { return m.name == name })
}

// remove takes out member i with the comma and the space that belong to it.
func (o *written) remove(data []byte, i int) []byte {
	switch m := o.members[i]; {
	case len(o.members) == 1:
		return splice(data, span{o.start + 1, o.end - 1}, nil)
	case i == len(o.members)-1:
		return splice(data, span{o.members[i-1].value.end, m.value.end}, nil)
	default:
		return splice(data, span{m.key.start, o.members[i+1].key.start}, nil)
	}
}

// splice is data with a range replaced, in memory of its own.
func splice(data []byte, s span, with []byte) []byte {
	return slices.Concat(data[:s.start], with, data[s.end:])
}

// sameJSON reports whether two values mean the same to JSON.parse.
func sameJSON(a, b jsontext.Value) bool {
	a, b = a.Clone(), b.Clone()
	return a.Canonicalize() == nil && b.Canonicalize() == nil && bytes.Equal(a, b)
}
