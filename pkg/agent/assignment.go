package agent

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// assignable are the fields that a person may set, with how their value is
// written on a command line. What names the agent or tells of its beginning
// (id, registeredAt, registeredBy) is not among them.
var assignable = map[string]assignKind{
	"name": asText, "displayName": asText, "description": asText, "runtime": asText, "namespace": asText,
	"persona": asText, "color": asText, "icon": asText, "model": asText, "effort": asText, "account": asText,
	"capabilities": asList,
	"behavior":     asJSON, "behavior.responseMode": asText, "behavior.escalationThreshold": asJSON,
	"budget": asJSON, "budget.maxHopsPerMessage": asJSON, "budget.maxCallsPerHour": asJSON,
	"personaEnabled": asJSON, "isSystem": asJSON,
	"traits": asJSON, "traits.verbosity": asJSON, "traits.autonomy": asJSON, "traits.chaos": asJSON,
	"traits.creativity": asJSON, "traits.humor": asJSON, "traits.spice": asJSON,
	"conventions": asJSON, "conventions.soul": asJSON, "conventions.nope": asJSON, "conventions.dorkosKnowledge": asJSON,
	"enabledToolGroups": asJSON, "mcpServers": asJSON,
}

type assignKind uint8

const (
	asText assignKind = iota // as it is, without quotes
	asList                   // a JSON array, or words with commas between them
	asJSON
)

// AssignableFields lists what ParseAssignment takes, sorted.
func AssignableFields() []string {
	fields := make([]string, 0, len(assignable))
	for f := range assignable {
		fields = append(fields, f)
	}
	slices.Sort(fields)
	return fields
}

// ParseAssignment reads field=value as a person writes it: text as it is, a list
// as JSON or as words with commas between them, numbers, switches and objects
// as JSON. Nothing behind the equals sign takes the field out. Whether the
// value fits the field is for EditManifest to say.
func ParseAssignment(s string) (Assignment, error) {
	field, text, ok := strings.Cut(s, "=")
	kind, known := assignable[field]
	switch {
	case !ok:
		return Assignment{}, fmt.Errorf("%q is not field=value", s)
	case !known:
		return Assignment{}, fmt.Errorf("%q is not a field that can be set", field)
	case text == "":
		return Assignment{Field: field}, nil
	}
	a := Assignment{Field: field}
	switch {
	case kind == asText:
		return a.with(text)
	case kind == asList && !strings.HasPrefix(strings.TrimSpace(text), "["):
		words := strings.Split(text, ",")
		for i := range words {
			words[i] = strings.TrimSpace(words[i])
		}
		return a.with(words)
	}
	a.Value = jsontext.Value(text)
	if !a.Value.IsValid() {
		return Assignment{}, fmt.Errorf("%s: %q is not JSON", field, text)
	}
	return a, nil
}

// Assign is an assignment of a Go value.
func Assign(field string, v any) (Assignment, error) { return Assignment{Field: field}.with(v) }

func (a Assignment) with(v any) (Assignment, error) {
	var err error
	if a.Value, err = json.Marshal(v); err != nil {
		return a, fmt.Errorf("%s: %w", a.Field, err)
	}
	return a, nil
}
