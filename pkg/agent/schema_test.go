package agent_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

const schemaFile = "../../api/agent-manifest.schema.json"

// beyondSchema are the documents of the tables that a schema accepts or cannot
// be asked about although they are refused: it sees values, not text.
var beyondSchema = []string{
	// What a document looks like as text.
	"too large", "not UTF-8", "overlong UTF-8", "not UTF-8 in an unknown field", "not UTF-8 in a key",
	"lone surrogate", "lone surrogate in an unknown field", "surrogates in the wrong order",
	// Keys: a reader of JSON keeps one of two, and any other key is an unknown one.
	"key twice", "key twice, once escaped", "unknown key twice", "unknown key twice, first of many", "unknown key twice, last of many",
	"key twice in behavior",
	"key twice in an unknown field", "key twice in a lenient field",
	"case variant beside", "case variant by a long s", "case variant by the Kelvin sign",
	"case variants of an unknown key", "case variant in behavior", "case variant in budget",
	"case variant in traits", "case variant in conventions", "case variant in tool groups",
	"depth of 33",
	// Lengths: a schema counts characters, JavaScript UTF-16 units.
	"display name of 102 units", "namespace of 66 units",
	// Characters that deceive.
	"name with NUL", "name with an override", "name with an isolate",
	// The one letter that is two once it is lower-cased.
	"namespace that grows",
}

func TestSchemaAgreesWithDecoder(t *testing.T) {
	schema := loadSchema(t)
	for _, c := range accepted {
		t.Run("accepted/"+c.name, func(t *testing.T) {
			if err := validate(schema, c.data); err != nil {
				t.Error(err)
			}
		})
	}
	names := make(map[string]bool)
	for _, c := range refused {
		names[c.name] = true
		t.Run("refused/"+c.name, func(t *testing.T) {
			passes := validate(schema, c.data) == nil
			if exception := slices.Contains(beyondSchema, c.name); passes != exception {
				t.Errorf("the schema accepts it: %v; listed as an exception: %v", passes, exception)
			}
		})
	}
	for _, name := range beyondSchema {
		if !names[name] {
			t.Errorf("no document %q to be an exception", name)
		}
	}
}

// Both must know the same days and times.
func TestSchemaAgreesOnTimes(t *testing.T) {
	schema := loadSchema(t)
	check := func(instant string) {
		t.Helper()
		data := instead("2026-01-01T00:00:00Z", instant)
		_, v := agent.DecodeManifest([]byte(data))
		if err := validate(schema, data); (err == nil) != (v == nil) {
			t.Errorf("%s: schema %v, decoder %v", instant, err, v)
		}
	}
	for _, year := range []int{0, 4, 100, 400, 1900, 1996, 2000, 2023, 2024, 2100, 9999} {
		for month := range 14 {
			for _, day := range []int{0, 1, 9, 10, 28, 29, 30, 31, 32} {
				check(fmt.Sprintf("%04d-%02d-%02dT00:00Z", year, month, day))
			}
		}
	}
	for _, clock := range []string{
		"", "0", "00", "00:0", "00:00", "23:59", "24:00", "19:60", "00:00:", "00:00:59", "00:00:60", "00:00:00.", "00:00:00.0",
		"00:00:00.000000000001", "00:00:00.x", "00:00:00,5", "00:00.5", "+0:00", "00:00:00.5.5", "00-00-00", " 00:00", "00:00:00.５",
	} {
		check("2026-01-01T" + clock + "Z")
	}
}

// A default in the schema is what the decoder puts in.
func TestSchemaDefaults(t *testing.T) {
	schema := loadSchema(t)
	var doc map[string]any
	if err := json.Unmarshal([]byte(with(`"behavior":{},"budget":{},"traits":{},"conventions":{}`)), &doc); err != nil {
		t.Fatal(err)
	}
	if err := schema.ApplyDefaults(&doc); err != nil {
		t.Fatal(err)
	}
	spelled, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	want, v := agent.DecodeManifest([]byte(with(`"behavior":{},"budget":{},"traits":{},"conventions":{}`)))
	if v != nil {
		t.Fatal(v)
	}
	got, v := agent.DecodeManifest(spelled)
	if v != nil {
		t.Fatal(v)
	}
	want.Capabilities, got.Capabilities = nil, nil
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestSchemaListsRuntimes(t *testing.T) {
	var listed []string
	for _, v := range loadSchema(t).Schema().Properties["runtime"].Enum {
		listed = append(listed, v.(string))
	}
	if d := cmp.Diff(agent.Runtimes(), listed); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func loadSchema(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	resolved, err := schema.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// validate asks the schema about a document. What is not even JSON is refused.
func validate(schema *jsonschema.Resolved, data string) error {
	var doc any
	if err := json.Unmarshal([]byte(data), &doc); err != nil {
		return err
	}
	return schema.Validate(doc)
}
