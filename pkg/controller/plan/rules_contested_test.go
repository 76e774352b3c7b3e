package plan_test

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// contested says what another writer keeps putting back, and what it should be.
func contested(o *plan.Observation, fieldsAndValues ...string) {
	o.Contested = map[string]string{}
	for i := 0; i < len(fieldsAndValues); i += 2 {
		o.Contested[fieldsAndValues[i]] = fieldsAndValues[i+1]
	}
}

func renamed(o *plan.Observation) { o.Row.Fields[agent.FieldName] = agent.TextCell("theirs") }

// contestedRules are about a row that another writer keeps putting back.
func contestedRules() []rule {
	return []rule{
		{"contested field is left alone", func(o *plan.Observation, _ *plan.Policy) {
			renamed(o)
			contested(o, "name", "name of Self")
		}, `
			reason Contested /w/p/home
			problems 1
			  Contested /w/p/home
			event Contested /w/p/home
`},
		{"contested field that is listed is quiet", func(o *plan.Observation, p *plan.Policy) {
			renamed(o)
			contested(o, "name", "name of Self")
			o.Problems = plan.Compute(*o, *p).Change.Problems
		}, `
			reason Contested /w/p/home
`},
		{"contested field is left alone while others are corrected", func(o *plan.Observation, _ *plan.Policy) {
			renamed(o)
			o.Row.Fields[agent.FieldRuntime] = agent.TextCell("theirs")
			contested(o, "name", "name of Self")
		}, `
			reason Drifted /w/p/home
			do updateRow
			  runtime theirs -> codex
			problems 1
			  Contested /w/p/home
			event Contested /w/p/home
			deed Drifted /w/p/home
`},
		{"contested field whose wanted value changed is corrected", func(o *plan.Observation, p *plan.Policy) {
			renamed(o)
			contested(o, "name", "name of Self")
			o.Problems = plan.Compute(*o, *p).Change.Problems
			with(o.Home, edited)
		}, `
			reason Drifted /w/p/home
			do updateRow
			  name theirs -> edited
			problems 0
			deed Drifted /w/p/home
`},
		{"contested field that is as wanted is not listed", func(o *plan.Observation, _ *plan.Policy) {
			contested(o, "name", "name of Self", "status", "active", "scanRoot", root)
		}, `
			reason InSync /w/p/home
`},
		{"contested field that is as wanted any more is not listed any more", func(o *plan.Observation, _ *plan.Policy) {
			contested(o, "name", "name of Self")
			o.Problems = []agent.Problem{{Path: homePath, Reason: agent.Contested, ID: self, Message: "name"}}
		}, `
			reason InSync /w/p/home
			problems 0
`},
		{"several contested fields are one problem", func(o *plan.Observation, _ *plan.Policy) {
			renamed(o)
			o.Row.Fields[agent.FieldRuntime] = agent.TextCell("theirs")
			o.Row.Status = "inactive"
			contested(o, "name", "name of Self", "runtime", "codex", "status", "active")
		}, `
			reason Contested /w/p/home
			problems 1
			  Contested /w/p/home
			event Contested /w/p/home
`},
		{"contested status is left alone while fields are corrected", func(o *plan.Observation, _ *plan.Policy) {
			renamed(o)
			o.Row.Status = agent.Unreachable
			contested(o, "status", "active")
		}, `
			reason Drifted /w/p/home
			do updateRow
			  name theirs -> name of Self
			problems 1
			  Contested /w/p/home
			event Contested /w/p/home
			deed Drifted /w/p/home
`},
		{"contested field is left alone while the status is corrected", func(o *plan.Observation, _ *plan.Policy) {
			renamed(o)
			o.Row.Status = "inactive"
			contested(o, "name", "name of Self")
		}, `
			reason Drifted /w/p/home
			do markActive
			  status inactive -> active
			problems 1
			  Contested /w/p/home
			event Contested /w/p/home
			deed Drifted /w/p/home
`},
		{"contested scan root is left alone while fields are corrected", func(o *plan.Observation, _ *plan.Policy) {
			renamed(o)
			o.Row.ScanRoot = "/elsewhere"
			contested(o, "scanRoot", root)
		}, `
			reason Drifted /w/p/home
			do updateRow
			  name theirs -> name of Self
			problems 1
			  Contested /w/p/home
			event Contested /w/p/home
			deed Drifted /w/p/home
`},
		{"address follows a contested namespace", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldNamespace] = agent.TextCell("q")
			contested(o, "namespace", "p")
		}, `
			reason EndpointMissing /w/p/home
			do ensureRules q
			do moveMail relay.agent.q.Self <- relay.agent.p.Self
			do removeRules p
			leaves p
			problems 1
			  Contested /w/p/home
			event Contested /w/p/home
			deed EndpointMissing /w/p/home
`},
		{"relay that needs something names the plan of a contested row", func(o *plan.Observation, _ *plan.Policy) {
			renamed(o)
			contested(o, "name", "name of Self")
			o.Relay.Endpoints = nil
		}, `
			reason EndpointMissing /w/p/home
			do ensureEndpoint relay.agent.p.Self
			problems 1
			  Contested /w/p/home
			event Contested /w/p/home
			deed EndpointMissing /w/p/home
`},
		{"contested row outweighs its copies", func(o *plan.Observation, _ *plan.Policy) {
			renamed(o)
			contested(o, "name", "name of Self")
			claims(o, claimAt(zuluPath))
		}, `
			reason Contested /w/p/home
			problems 2
			  Contested /w/p/home
			  DuplicateID /w/q/zulu
			event Contested /w/p/home
			event DuplicateID /w/q/zulu
`},
		{"orphan whose status is contested has a clock", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			contested(o, "status", "unreachable")
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now, clock now, mount /dev/a
			problems 1
			  Contested /w/p/home
			event PathMissing /w/p/home
			event Contested /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"orphan whose status is contested waits for its grace", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, time.Hour)
			o.Row.Status = agent.Active
			contested(o, "status", "unreachable")
			o.Problems = plan.Compute(*o, *p).Change.Problems
		}, `
			reason PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"orphan whose status is contested is removed at its grace", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, time.Hour)
			o.Row.Status = agent.Active
			contested(o, "status", "unreachable")
			o.Problems = plan.Compute(*o, *p).Change.Problems
			o.State = missingFor(grace, agent.DirMissing)
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			problems 0
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"orphan that another writer has given in about is not listed", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			contested(o, "status", "unreachable")
		}, `
			reason PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"orphan is marked though another status of it was contested", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Row.Status = "inactive"
			contested(o, "status", "active")
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status inactive -> unreachable
			deed PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"orphan whose status is contested returns", func(o *plan.Observation, _ *plan.Policy) {
			o.State = missingFor(time.Hour, agent.DirMissing)
			contested(o, "status", "unreachable")
		}, `
			reason Resurrected /w/p/home
			remembers nothing
			deed Resurrected /w/p/home
`},
		{"agent that is back and may not be active is not missing", func(o *plan.Observation, _ *plan.Policy) {
			o.State = missingFor(time.Hour, agent.DirMissing)
			o.Row.Status = agent.Unreachable
			contested(o, "status", "active")
		}, `
			reason Resurrected /w/p/home
			remembers nothing
			problems 1
			  Contested /w/p/home
			event Contested /w/p/home
			deed Resurrected /w/p/home
`},
		{"agent that moves is written whole", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			renamed(o)
			contested(o, "name", "name of Self")
			claims(o, claimAt(alphaPath))
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			  name theirs -> name of Self
			deed Relocated /w/p/alpha
`},
		{"unregistered agent whose status is contested waits for the relay", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			relayDown(o)
			contested(o, "status", "unreachable")
		}, `
			reason Unregistered /w/p/home
			problems 1
			  Contested /w/p/home
			event Contested /w/p/home
			retry
`},
	}
}
