package agent_test

import (
	"strings"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestParseAssignment(t *testing.T) {
	tests := []struct{ in, field, value, err string }{
		{"name=Ada", "name", `"Ada"`, ""},
		{"name=a=b", "name", `"a=b"`, ""},
		{`description="quoted"`, "description", `"\"quoted\""`, ""},
		{"capabilities=build, test", "capabilities", `["build","test"]`, ""},
		{`capabilities=["x"]`, "capabilities", `["x"]`, ""},
		{"personaEnabled=false", "personaEnabled", "false", ""},
		{"budget.maxCallsPerHour=7", "budget.maxCallsPerHour", "7", ""},
		{"behavior.responseMode=silent", "behavior.responseMode", `"silent"`, ""},
		{"namespace=", "namespace", "", ""},
		{"name", "", "", "not field=value"},
		{"id=other", "", "", "not a field that can be set"},
		{"title=x", "", "", "not a field that can be set"},
		{"traits={", "", "", "not JSON"},
	}
	for _, tt := range tests {
		a, err := agent.ParseAssignment(tt.in)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want %q", tt.in, err, tt.err)
			}
			continue
		}
		if err != nil || a.Field != tt.field || string(a.Value) != tt.value {
			t.Errorf("%s: %s = %s, %v", tt.in, a.Field, a.Value, err)
		}
	}
}

// What can be set is in the schema: setting it is never an unknown key.
func TestAssignableFieldsAreKnown(t *testing.T) {
	const manifest = `{"id":"A","name":"a","runtime":"other","registeredAt":"2026-01-01T00:00:00Z","registeredBy":"x"}`
	for _, f := range agent.AssignableFields() {
		a, err := agent.ParseAssignment(f + "=[[]]")
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if _, err := agent.EditManifest([]byte(manifest), []agent.Assignment{a}); err == nil && f != "name" {
			switch f {
			case "description", "color", "icon", "persona", "displayName", "account", "model", "namespace":
			default:
				t.Errorf("%s takes anything", f)
			}
		}
	}
}
