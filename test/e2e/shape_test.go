package e2e

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shape says which keys an object has and what each holds: "text", "time",
// "number", "bool", "list" or "object", with "?" where it may be null. Keys are
// there even where they are null.
type shape map[string]string

var instant = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

var (
	agentShape = shape{
		"id": "text", "name": "text", "namespace": "text", "runtime": "text", "projectPath": "text", "scanRoot": "text?",
		"status": "text", "reason": "text", "message": "text?", "since": "time", "missingSince": "time?", "removeAt": "time?",
		"hold": "object?", "relaySubject": "text", "endpoint": "bool", "lastSeenAt": "time?", "duplicatePaths": "list",
	}
	holdShape    = shape{"reason": "text", "since": "time", "until": "time?"}
	problemShape = shape{"path": "text", "reason": "text", "message": "text", "agentId": "text?", "since": "time"}
	agentsShape  = shape{"apiVersion": "text", "agents": "list", "problems": "list"}
	eventShape   = shape{"at": "time", "id": "text", "reason": "text", "path": "text", "message": "text"}
	syncShape    = shape{"converged": "bool", "full": "bool", "durationSeconds": "number", "counts": "object", "failures": "list"}
	countsShape  = shape{
		"agents": "number", "queued": "number", "discovered": "number", "synced": "number", "relocated": "number",
		"unreachable": "number", "resurrected": "number", "removed": "number", "duplicates": "number", "invalid": "number",
		"unknown": "number", "held": "number", "failed": "number",
	}
	failureShape = shape{"id": "text", "path": "text", "reason": "text", "message": "text"}
	planShape    = shape{"at": "time", "changes": "list"}
	actionShape  = shape{"type": "text", "field": "text?", "from": "text?", "to": "text?"}
	errorShape   = shape{"error": "object"}
	bodyShape    = shape{"code": "text", "message": "text", "hint": "text"}
)

// fits checks an object and returns it. more are keys that may be there too.
func (s shape) fits(t *testing.T, what string, v any, more ...string) map[string]any {
	t.Helper()
	object, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("%s is no object: %v", what, v)
	}
	for key := range maps.Keys(object) {
		if _, known := s[key]; !known && !slices.Contains(more, key) {
			t.Errorf("%s has the key %s", what, key)
		}
	}
	for key, kind := range s {
		value, there := object[key]
		if !there {
			t.Errorf("%s has no key %s", what, key)
			continue
		}
		if !holds(kind, value) {
			t.Errorf("%s: %s is %v, want %s", what, key, value, kind)
		}
	}
	return object
}

func holds(kind string, value any) bool {
	kind, nullable := strings.CutSuffix(kind, "?")
	if value == nil {
		return nullable
	}
	text, isText := value.(string)
	var ok bool
	switch kind {
	case "text":
		ok = isText
	case "time":
		ok = instant.MatchString(text)
	case "number":
		_, ok = value.(float64)
	case "bool":
		_, ok = value.(bool)
	case "list":
		_, ok = value.([]any)
	case "object":
		_, ok = value.(map[string]any)
	}
	return ok
}

// each fits every element of a list, of which there is at least one.
func (s shape) each(t *testing.T, what string, v any, more ...string) {
	t.Helper()
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		t.Errorf("%s: nothing in %v", what, v)
	}
	for i, e := range list {
		s.fits(t, fmt.Sprintf("%s %d", what, i), e, more...)
	}
}

func (w *world) fitsAgents(v any) {
	w.t.Helper()
	o := agentsShape.fits(w.t, "agents", v)
	if o["apiVersion"] != "mesh-controller/v1" {
		w.t.Errorf("apiVersion %v", o["apiVersion"])
	}
	agentShape.each(w.t, "agent", o["agents"])
	problemShape.each(w.t, "problem", o["problems"])
	list, _ := o["agents"].([]any)
	for _, a := range list {
		if m, ok := a.(map[string]any); ok && m["hold"] != nil {
			holdShape.fits(w.t, "hold", m["hold"])
		}
	}
}
