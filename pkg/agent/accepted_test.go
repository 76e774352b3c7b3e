package agent_test

import (
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// accepted has one line per rule that allows something. want says how the
// result differs from the minimal manifest.
var accepted = []struct {
	name string
	data string
	want func(*agent.Manifest)
}{
	{"white space around", "\r\n\t " + minimal + " \r\n\t", nil},
	{"line ends of Windows", strings.ReplaceAll(minimal, ",", ",\r\n"), nil},
	{"escaped key", instead(`"id"`, `"\u0069\u0064"`), nil},
	{"escaped value", instead(`"01A"`, `"\u0030\u0031A"`), nil},
	{"surrogate pair", instead(`"n"`, `"\ud83d\ude00"`), func(m *agent.Manifest) { m.Name = "😀" }},
	{"blank name", instead(`"n"`, `" "`), func(m *agent.Manifest) { m.Name = " " }},
	{"escaped control characters", instead(`"n"`, `"a\u0001\u200f"`), func(m *agent.Manifest) { m.Name = "a\x01\u200f" }},
	{"unknown fields", with(`"a":{"b":[1,{"c":null}]},"__proto__":{"id":"x"},"constructor":1`), nil},
	{"case variants inside an unknown field", with(`"env":{"http_proxy":"","HTTP_PROXY":""}`), nil},
	{"depth of 32", with(`"x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31)), nil},
	{"longest id", instead(`"01A"`, `"`+strings.Repeat("a", 64)+`"`), func(m *agent.Manifest) { m.ID = agent.ID(strings.Repeat("a", 64)) }},
	{"id with every kind of character", instead(`"01A"`, `"_aZ-09"`), func(m *agent.Manifest) { m.ID = "_aZ-09" }},

	{"time without seconds", instead(`00:00:00Z`, `00:00Z`), func(m *agent.Manifest) { m.RegisteredAt = "2026-01-01T00:00Z" }},
	{"time with any fraction", instead(`00:00:00Z`, `23:59:59.1234567891Z`), func(m *agent.Manifest) { m.RegisteredAt = "2026-01-01T23:59:59.1234567891Z" }},
	{"leap day", instead(`2026-01-01`, `2024-02-29`), func(m *agent.Manifest) { m.RegisteredAt = "2024-02-29T00:00:00Z" }},

	{"empty display name", with(`"displayName":""`), func(m *agent.Manifest) { m.DisplayName = new("") }},
	{"display name of 100 units", with(`"displayName":"` + strings.Repeat("é", 100) + `"`), func(m *agent.Manifest) { m.DisplayName = new(strings.Repeat("é", 100)) }},
	{"persona of 4000 units", with(`"persona":"` + strings.Repeat("😀", 2000) + `"`), func(m *agent.Manifest) { m.Persona = new(strings.Repeat("😀", 2000)) }},
	{"empty description", with(`"description":""`), nil},
	{"no capabilities", with(`"capabilities":[]`), nil},
	{"256 capabilities", with(`"capabilities":[` + strings.TrimSuffix(strings.Repeat(`"",`, 256), ",") + `]`), func(m *agent.Manifest) { m.Capabilities = make([]string, 256) }},
	{"colour and icon", with(`"color":"","icon":"*"`), func(m *agent.Manifest) { m.Color, m.Icon = new(""), new("*") }},
	{"persona off", with(`"personaEnabled":false`), func(m *agent.Manifest) { m.PersonaEnabled = false }},
	{"system", with(`"isSystem":true`), func(m *agent.Manifest) { m.IsSystem = true }},

	{"namespace", with(`"namespace":"My Project"`), func(m *agent.Manifest) { m.Namespace = "My Project" }},
	{"blank namespace", with(`"namespace":" \t\u00a0\ufeff"`), func(m *agent.Manifest) { m.Namespace = " \t\u00a0\ufeff" }},
	{"namespace of 64 units", with(`"namespace":"` + strings.Repeat("a", 64) + `"`), func(m *agent.Manifest) { m.Namespace = strings.Repeat("a", 64) }},

	{"behavior without members", with(`"behavior":{}`), nil},
	{"engaged", with(`"behavior":{"responseMode":"engaged"}`), func(m *agent.Manifest) { m.Behavior.ResponseMode = "engaged" }},
	{"threshold", with(`"behavior":{"escalationThreshold":1.50e2}`), func(m *agent.Manifest) { m.Behavior.EscalationThreshold = "150" }},
	{"threshold below zero", with(`"behavior":{"escalationThreshold":-1e-7}`), func(m *agent.Manifest) { m.Behavior.EscalationThreshold = "-1e-7" }},
	{"threshold of minus zero", with(`"behavior":{"escalationThreshold":-0.0}`), func(m *agent.Manifest) { m.Behavior.EscalationThreshold = "0" }},
	{"budget without members", with(`"budget":{}`), nil},
	{"budget of one member", with(`"budget":{"maxHopsPerMessage":1}`), func(m *agent.Manifest) { m.Budget.MaxHopsPerMessage = 1 }},
	{"integers as JavaScript knows them", with(`"budget":{"maxHopsPerMessage":7.0,"maxCallsPerHour":2e1}`), func(m *agent.Manifest) { m.Budget = agent.Budget{MaxHopsPerMessage: 7, MaxCallsPerHour: 20} }},
	{"largest integer", with(`"budget":{"maxCallsPerHour":9007199254740991}`), func(m *agent.Manifest) { m.Budget.MaxCallsPerHour = 9007199254740991 }},
	{"traits without members", with(`"traits":{}`), func(m *agent.Manifest) { m.Traits = &agent.Traits{3, 3, 3, 3, 3, 3} }},
	{"some traits", with(`"traits":{"spice":1,"verbosity":5.0}`), func(m *agent.Manifest) { m.Traits = &agent.Traits{5, 3, 3, 3, 3, 1} }},
	{"conventions without members", with(`"conventions":{}`), func(m *agent.Manifest) { m.Conventions = &agent.Conventions{true, true, true} }},
	{"some conventions", with(`"conventions":{"nope":false}`), func(m *agent.Manifest) { m.Conventions = &agent.Conventions{true, false, true} }},

	{"lenient fields", with(`"model":"m","effort":"xhigh","account":"a"`), func(m *agent.Manifest) { m.Model, m.Effort, m.Account = new("m"), new("xhigh"), new("a") }},
	{"lenient fields of another type", with(`"model":{"id":"m"},"effort":["low"],"account":1`), nil},
	{"lenient fields that are null", with(`"model":null,"effort":null,"account":null`), nil},
	{"lenient fields that are empty", with(`"model":"","effort":"","account":""`), nil},
	{"effort that is no such word", with(`"effort":"ultra"`), nil},

	{"no tool groups", with(`"enabledToolGroups":{}`), nil},
	{"tool groups", with(`"enabledToolGroups":{"tasks":true,"relay":false,"mesh":true,"adapter":false,"other":1}`), nil},
	{"no servers", with(`"mcpServers":[]`), nil},
	{"a server", with(`"mcpServers":[{"name":"a_B-9","connection":{"type":"stdio","env":{"a":"","A":""}},"addedAt":"2026-01-01T00:00Z","addedBy":""}]`), nil},
	{"a server that is on", with(`"mcpServers":[{"name":"a","enabled":true,"connection":{},"addedAt":"2026-01-01T00:00Z","addedBy":"me","x":null}]`), nil},
}
