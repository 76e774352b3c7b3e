package agent

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// EncodeManifest writes a fresh agent.json: two blanks of indentation and a line
// end, keys in the original's order. What equals its default is left out, but
// for the fields that the original always writes. It returns an error that wraps
// a Violation when the result would not be a valid manifest.
func EncodeManifest(m *Manifest) ([]byte, error) {
	data, err := json.Marshal(fileOf(m), jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	data = append(data, '\n')
	if _, v := DecodeManifest(data); v != nil {
		return nil, fmt.Errorf("the manifest is not valid: %w", v)
	}
	return data, nil
}

// file is a manifest as it is written.
type file struct {
	ID             ID             `json:"id"`
	Name           string         `json:"name"`
	DisplayName    *string        `json:"displayName,omitzero"`
	Description    string         `json:"description"`
	Runtime        string         `json:"runtime"`
	Capabilities   []string       `json:"capabilities"`
	Behavior       jsontext.Value `json:"behavior"`
	Budget         jsontext.Value `json:"budget,omitzero"`
	Namespace      string         `json:"namespace,omitzero"`
	RegisteredAt   string         `json:"registeredAt"`
	RegisteredBy   string         `json:"registeredBy"`
	Persona        *string        `json:"persona,omitzero"`
	PersonaEnabled bool           `json:"personaEnabled"`
	Traits         jsontext.Value `json:"traits,omitzero"`
	Conventions    jsontext.Value `json:"conventions,omitzero"`
	Color          *string        `json:"color,omitzero"`
	Icon           *string        `json:"icon,omitzero"`
	IsSystem       bool           `json:"isSystem,omitzero"`
	Model          *string        `json:"model,omitzero"`
	Effort         *string        `json:"effort,omitzero"`
	Account        *string        `json:"account,omitzero"`
}

func fileOf(m *Manifest) *file {
	f := &file{
		ID: m.ID, Name: m.Name, DisplayName: m.DisplayName, Description: m.Description,
		Runtime: m.Runtime, Capabilities: m.Capabilities, Behavior: jsontext.Value(m.Behavior.json()),
		Namespace: m.Namespace, RegisteredAt: m.RegisteredAt, RegisteredBy: m.RegisteredBy,
		Persona: m.Persona, PersonaEnabled: m.PersonaEnabled,
		Color: m.Color, Icon: m.Icon, IsSystem: m.IsSystem,
		Model: m.Model, Effort: m.Effort, Account: m.Account,
	}
	if m.Budget != defaultBudget {
		f.Budget = jsontext.Value(m.Budget.json())
	}
	if c := m.Traits.cell(); c.Kind != Null {
		f.Traits = jsontext.Value(c.Text)
	}
	if c := m.Conventions.cell(); c.Kind != Null {
		f.Conventions = jsontext.Value(c.Text)
	}
	return f
}
