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
			reason EndpointMissing /w/p/home
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			deed EndpointMissing /w/p/home
`},
		{"half an address is made whole", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Endpoints[0].Whole = false
		}, `
			reason EndpointMissing /w/p/home
			do ensureEndpoint relay.agent.p.Self
			deed EndpointMissing /w/p/home
`},
		{"deny alone is not enough", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Rules["p"] = agent.RuleSet{Deny: true}
		}, `
			reason RulesDrifted /w/p/home
			do ensureRules p
			deed RulesDrifted /w/p/home
`},
		{"address elsewhere moves with its mail", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Endpoints = []agent.Endpoint{endpoint("q")}
		}, `
			reason EndpointMissing /w/p/home
			do moveMail relay.agent.p.Self <- relay.agent.q.Self
			leaves q
			deed EndpointMissing /w/p/home
`},
		{"second address is brought home", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Endpoints = append(o.Relay.Endpoints, endpoint("q"))
		}, `
			reason EndpointLeaked /w/p/home
			do moveMail relay.agent.p.Self <- relay.agent.q.Self
			leaves q
			deed EndpointLeaked /w/p/home
`},
		{"kept mail comes back", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Kept = true
		}, `
			reason EndpointLeaked /w/p/home
			do moveMail relay.agent.p.Self <-
			deed EndpointLeaked /w/p/home
`},
		{"degraded adds nothing", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay = plan.Relay{Enabled: true, Degraded: "access-rules.json does not parse", Kept: true}
		}, `
			reason RelayDegraded /w/p/home
			retry
`},
		{"degraded does not stop the row", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldName] = agent.TextCell("old")
			o.Relay = plan.Relay{Enabled: true, Degraded: "access-rules.json does not parse"}
		}, `
			reason Drifted /w/p/home
			do updateRow
			  name old -> name of Self
			deed Drifted /w/p/home
			retry
`},
		{"degraded and whole is in sync", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay.Rules, o.Relay.Degraded = nil, "access-rules.json does not parse"
		}, `
			reason InSync /w/p/home
`},
		{"degraded relay loses no rule", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Relay.Degraded = "access-rules.json does not parse"
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"relay that is down is tried again", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay = plan.Relay{Enabled: true, Down: "connection refused"}
		}, `
			reason RelayDegraded /w/p/home
			retry
`},
		{"relay that is off wants nothing", func(o *plan.Observation, _ *plan.Policy) {
			o.Relay = plan.Relay{}
		}, `
			reason InSync /w/p/home
`},
		{"orphan in its grace keeps its address", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Relay = plan.Relay{Enabled: true}
		}, `
			reason PathMissing /w/p/home
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			deed PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"namespace that is no token gets no address", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Row.Fields[agent.FieldNamespace] = agent.TextCell("a.b")
			o.Relay = plan.Relay{Enabled: true}
		}, `
			reason PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
	}
}
