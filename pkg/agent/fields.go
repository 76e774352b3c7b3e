package agent

// Fields are the compared values of a row, by position in the field table.
type Fields [NumFields]Cell

// Positions in the field table.
const (
	FieldName = iota
	FieldRuntime
	FieldNamespace
	FieldCapabilities
	FieldBehavior
	FieldBudget
	FieldDescription
	FieldDisplayName
	FieldPersona
	FieldPersonaEnabled
	FieldColor
	FieldIcon
	FieldTraits
	FieldConventions
	FieldIsSystem
	FieldModel
	FieldEffort
	FieldAccount
	NumFields
)

// Field is one line of the table that ties a manifest's field to its column.
// Schema check, row scan, diff, upsert and the words of plan all come from it.
type Field struct {
	Name   string // as in the manifest
	Column string
	// Required columns exist in every index that is supported.
	Required bool
	// OwnOnly columns are written in our own database only: in the original's
	// nobody reads them.
	OwnOnly bool
	// Value is the cell that a manifest asks for.
	Value func(*Manifest, Place) Cell
}

// Place is what of an agent's fields depends on where it lies.
type Place struct {
	Namespace string
	// Managed: the project lies under the managed home, the only place where
	// isSystem counts.
	Managed bool
}

// FieldTable is indexed by the constants above.
var FieldTable = [NumFields]Field{
	FieldName:           {Name: "name", Column: "name", Required: true, Value: func(m *Manifest, _ Place) Cell { return TextCell(m.Name) }},
	FieldRuntime:        {Name: "runtime", Column: "runtime", Required: true, Value: func(m *Manifest, _ Place) Cell { return TextCell(m.Runtime) }},
	FieldNamespace:      {Name: "namespace", Column: "namespace", Required: true, Value: func(_ *Manifest, p Place) Cell { return TextCell(p.Namespace) }},
	FieldCapabilities:   {Name: "capabilities", Column: "capabilities_json", Required: true, Value: func(m *Manifest, _ Place) Cell { return TextCell(capabilitiesJSON(m.Capabilities)) }},
	FieldBehavior:       {Name: "behavior", Column: "behavior_json", Required: true, Value: func(m *Manifest, _ Place) Cell { return TextCell(m.Behavior.json()) }},
	FieldBudget:         {Name: "budget", Column: "budget_json", Value: func(m *Manifest, _ Place) Cell { return TextCell(m.Budget.json()) }},
	FieldDescription:    {Name: "description", Column: "description", Required: true, Value: func(m *Manifest, _ Place) Cell { return TextCell(m.Description) }},
	FieldDisplayName:    {Name: "displayName", Column: "display_name", Value: func(m *Manifest, _ Place) Cell { return OptionalCell(m.DisplayName) }},
	FieldPersona:        {Name: "persona", Column: "persona", Value: func(m *Manifest, _ Place) Cell { return OptionalCell(m.Persona) }},
	FieldPersonaEnabled: {Name: "personaEnabled", Column: "persona_enabled", Value: func(m *Manifest, _ Place) Cell { return BoolCell(m.PersonaEnabled) }},
	FieldColor:          {Name: "color", Column: "color", Value: func(m *Manifest, _ Place) Cell { return OptionalCell(m.Color) }},
	FieldIcon:           {Name: "icon", Column: "icon", Value: func(m *Manifest, _ Place) Cell { return OptionalCell(m.Icon) }},
	FieldTraits:         {Name: "traits", Column: "traits_json", OwnOnly: true, Value: func(m *Manifest, _ Place) Cell { return m.Traits.cell() }},
	FieldConventions:    {Name: "conventions", Column: "conventions_json", OwnOnly: true, Value: func(m *Manifest, _ Place) Cell { return m.Conventions.cell() }},
	FieldIsSystem:       {Name: "isSystem", Column: "is_system", Value: func(m *Manifest, p Place) Cell { return BoolCell(m.IsSystem && p.Managed) }},
	FieldModel:          {Name: "model", Column: "model", Value: func(m *Manifest, _ Place) Cell { return OptionalCell(m.Model) }},
	FieldEffort:         {Name: "effort", Column: "effort", Value: func(m *Manifest, _ Place) Cell { return OptionalCell(m.Effort) }},
	FieldAccount:        {Name: "account", Column: "account", Value: func(m *Manifest, _ Place) Cell { return OptionalCell(m.Account) }},
}

// Desired is what the fields of a row should hold for this manifest.
func Desired(m *Manifest, p Place) Fields {
	var f Fields
	for i := range FieldTable {
		f[i] = FieldTable[i].Value(m, p)
	}
	return f
}

// FieldSet marks positions of the field table, here: the columns that an index
// has and that are ours to write.
type FieldSet uint32

// Has reports whether position i is in the set.
func (s FieldSet) Has(i int) bool { return s&(1<<i) != 0 }

// With is the set with position i in it.
func (s FieldSet) With(i int) FieldSet { return s | 1<<i }

// Difference is one field of a row that is not what it should be.
type Difference struct {
	Field    string // manifest field, or status, projectPath, scanRoot
	From, To Cell
}

// Diff lists what differs among the written columns, in the table's order.
func Diff(observed, desired *Fields, written FieldSet) []Difference {
	var d []Difference
	for i := range FieldTable {
		if written.Has(i) && observed[i] != desired[i] {
			d = append(d, Difference{FieldTable[i].Name, observed[i], desired[i]})
		}
	}
	return d
}
