package agent_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestFieldTable(t *testing.T) {
	names, columns := make(map[string]bool), make(map[string]bool)
	for i, f := range agent.FieldTable {
		if f.Name == "" || f.Column == "" || f.Value == nil {
			t.Errorf("position %d is not filled", i)
		}
		if names[f.Name] || columns[f.Column] {
			t.Errorf("%s (%s) is there twice", f.Name, f.Column)
		}
		if f.Required && f.OwnOnly {
			t.Errorf("%s is required everywhere and written in our own index only", f.Name)
		}
		names[f.Name], columns[f.Column] = true, true
	}
	if agent.NumFields > 32 {
		t.Error("a FieldSet has no room for every field")
	}
}

func TestDesired(t *testing.T) {
	m, v := agent.DecodeManifest([]byte(benchManifest))
	if v != nil {
		t.Fatal(v)
	}
	m.IsSystem = true
	null := agent.Cell{}
	want := agent.Fields{
		agent.FieldName:           agent.TextCell("billing"),
		agent.FieldRuntime:        agent.TextCell("claude-code"),
		agent.FieldNamespace:      agent.TextCell("team"),
		agent.FieldCapabilities:   agent.TextCell(`["ledger","invoices","reminders","code-review"]`),
		agent.FieldBehavior:       agent.TextCell(`{"responseMode":"mention-only","escalationThreshold":0.75}`),
		agent.FieldBudget:         agent.TextCell(`{"maxHopsPerMessage":5,"maxCallsPerHour":100}`),
		agent.FieldDescription:    agent.TextCell("Keeps the ledger, the invoices and the reminders in order."),
		agent.FieldDisplayName:    agent.TextCell("Billing service"),
		agent.FieldPersona:        agent.TextCell("You are careful with money.\nNever round before the last step."),
		agent.FieldPersonaEnabled: agent.BoolCell(true),
		agent.FieldColor:          agent.TextCell("#3b82f6"),
		agent.FieldIcon:           agent.TextCell("💶"),
		agent.FieldTraits:         agent.TextCell(`{"verbosity":2,"autonomy":4,"chaos":1,"creativity":3,"humor":2,"spice":1}`),
		agent.FieldConventions:    agent.TextCell(`{"soul":true,"nope":true,"dorkosKnowledge":false}`),
		agent.FieldIsSystem:       agent.BoolCell(false),
		agent.FieldModel:          agent.TextCell("large"),
		agent.FieldEffort:         agent.TextCell("high"),
		agent.FieldAccount:        null,
	}
	if d := cmp.Diff(want, agent.Desired(m, agent.Place{Namespace: "team"})); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	managed := agent.Desired(m, agent.Place{Namespace: "team", Managed: true})
	if managed[agent.FieldIsSystem] != agent.BoolCell(true) {
		t.Error("isSystem does not count under the managed home")
	}
}

func TestDiff(t *testing.T) {
	m, _ := agent.DecodeManifest([]byte(minimal))
	desired := agent.Desired(m, agent.Place{Namespace: "team"})
	var every agent.FieldSet
	for i := range agent.FieldTable {
		every = every.With(i)
	}
	if d := agent.Diff(&desired, &desired, every); d != nil {
		t.Errorf("a row differs from itself: %v", d)
	}
	var empty agent.Fields
	for i, f := range agent.FieldTable {
		observed := desired
		observed[i] = agent.Cell{Kind: agent.Other}
		want := []agent.Difference{{Field: f.Name, From: observed[i], To: desired[i]}}
		if d := cmp.Diff(want, agent.Diff(&observed, &desired, every)); d != "" {
			t.Errorf("%s (-want +got)\n%s", f.Name, d)
		}
		written := agent.FieldSet(0).With(i)
		if !written.Has(i) || written.Has((i+1)%agent.NumFields) {
			t.Errorf("the set of %s alone is %b", f.Name, written)
		}
		if got := agent.Diff(&empty, &desired, written); len(got) > 1 {
			t.Errorf("%s alone is written, differences: %v", f.Name, got)
		}
	}
	if d := agent.Diff(&empty, &desired, 0); d != nil {
		t.Errorf("nothing is written, differences: %v", d)
	}
	// NULL, the empty text and a number that reads like a text are three things.
	var a, b agent.Fields
	a[agent.FieldColor], b[agent.FieldColor] = agent.TextCell(""), agent.Cell{}
	if len(agent.Diff(&a, &b, every)) != 1 {
		t.Error("NULL is the empty text")
	}
	a[agent.FieldColor], b[agent.FieldColor] = agent.TextCell("1"), agent.BoolCell(true)
	if len(agent.Diff(&a, &b, every)) != 1 {
		t.Error("a text is a number")
	}
}
