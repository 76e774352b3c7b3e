package plan_test

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// relayRules are section 7 of the design, as far as one id is concerned.
func relayRules() []rule {
	return []rule{
		{"address missing is made, rules first", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay = plan.Relay{Enabled: true}
		}, `
`},
		{"half an address is made whole", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Endpoints[0].Whole = false
		}, `
`},
		{"deny alone is not enough", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Rules["p"] = agent.RuleSet{Deny: true}
		}, `
`},
		{"address elsewhere moves with its mail", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Endpoints = []agent.Endpoint{endpoint("q")}
		}, `
`},
		{"second address is brought home", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Endpoints = append(o.Relay.Endpoints, endpoint("q"))
		}, `
`},
		{"kept mail comes back", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Kept = true
		}, `
`},
		{"degraded adds nothing", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay = plan.Relay{Enabled: true, Degraded: "access-rules.json does not parse", Kept: true}
		}, `
`},
		{"degraded does not stop the row", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldName] = agent.TextCell("old")
			o.Relay = plan.Relay{Enabled: true, Degraded: "access-rules.json does not parse"}
		}, `
`},
		{"degraded and whole is in sync", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Rules, o.Relay.Degraded = nil, "access-rules.json does not parse"
		}, `
`},
		{"degraded relay loses no rule", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Relay.Degraded = "access-rules.json does not parse"
		}, `
`},
		{"relay that is down is tried again", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay = plan.Relay{Enabled: true, Down: "connection refused"}
		}, `
`},
		{"relay that is off wants nothing", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay = plan.Relay{}
		}, `
`},
		{"orphan in its grace keeps its address", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Relay = plan.Relay{Enabled: true}
		}, `
`},
		{"namespace that is no token gets no address", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Row.Fields[agent.FieldNamespace] = agent.TextCell("a.b")
			o.Relay = plan.Relay{Enabled: true}
		}, `
`},
	}
}
