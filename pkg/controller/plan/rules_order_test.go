package plan_test

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// orderRules are section 8 of the design: what an operator's intent changes.
func orderRules() []rule {
	return []rule{
		{"ordered newcomer is registered", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath))
			order(o, agent.Registered, alphaPath)
		}, `
			reason Registered /w/p/alpha
			do insertRow
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			deed Registered /w/p/alpha
`},
		{"ordered agent that returns is registered", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(homePath))
			o.Tombstone, o.Home = tombstone(agent.Unregistered, homePath), homeOf(lookPresent(homePath, self))
			o.Relay.Kept = true
			order(o, agent.Registered, homePath)
		}, `
			reason Registered /w/p/home
			do insertRow
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			do moveMail relay.agent.p.Self <-
			deed Registered /w/p/home
`},
		{"registration of an agent at home finds nothing to do", func(o *plan.Observation, _ *plan.Policy) {
			order(o, agent.Registered, homePath)
		}, `
			reason InSync /w/p/home
`},
		{"registration of a copy is refused", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, claimAt(alphaPath))
			order(o, agent.Registered, alphaPath)
		}, `
			reason DuplicateID /w/p/home
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
`},
		{"ordered change of a field is an update", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldName] = agent.TextCell("old")
			order(o, agent.Updated, homePath)
		}, `
			reason Updated /w/p/home
			do updateRow
			  name old -> name of Self
			deed Updated /w/p/home
`},
		{"ordered change of the namespace is NamespaceChanged", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldNamespace] = agent.TextCell("old")
			o.Relay.Endpoints = []agent.Endpoint{endpoint("old")}
			o.Relay.Rules = map[string]agent.RuleSet{"old": {Deny: true, Allow: true}}
			order(o, agent.Updated, homePath)
		}, `
			reason NamespaceChanged /w/p/home
			do updateRow
			  namespace old -> p
			do ensureRules p
			do moveMail relay.agent.p.Self <- relay.agent.old.Self
			do removeRules old
			leaves old
			deed NamespaceChanged /w/p/home
`},
		{"order wins over the recorded directory", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, changed(claimAt(alphaPath), func(c *plan.Claim) { worktree(c); refused(c) }), changed(claimAt(zuluPath), sameDir))
			order(o, agent.Registered, alphaPath)
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			problems 1
			  DuplicateID /w/q/zulu
			event DuplicateID /w/q/zulu
			deed Relocated /w/p/alpha
`},
		{"order wins among newcomers", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath), changed(claimAt(zuluPath), worktree))
			order(o, agent.Registered, zuluPath)
		}, `
			reason Registered /w/q/zulu
			do insertRow
			do ensureRules q
			do ensureEndpoint relay.agent.q.Self
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
			deed Registered /w/q/zulu
`},
		{"two names of one directory use the ordered spelling", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), sameDir), changed(claimAt(zuluPath), sameDir))
			o.Tombstone, o.Home = tombstone(agent.Removed, alphaPath), homeOf(lookPresent(alphaPath, self))
			order(o, agent.Registered, zuluPath)
		}, `
			reason Registered /w/q/zulu
			do insertRow
			do ensureRules q
			do ensureEndpoint relay.agent.q.Self
			deed Registered /w/q/zulu
`},
		{"registration of a worktree does not take the id from a directory that stands", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookFileMissing(homePath))
			claims(o, changed(claimAt(alphaPath), worktree))
			order(o, agent.Registered, alphaPath)
		}, `
			reason ManifestMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers ManifestMissing, missing now, clock now, mount /dev/a
			problems 1
			  DuplicateID /w/p/alpha
			event ManifestMissing /w/p/home
			event DuplicateID /w/p/alpha
			durable
			starts
`},
		{"registration proves nothing about a place in doubt", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath), claimOf(lookUnknown(zuluPath)))
			order(o, agent.Registered, alphaPath)
		}, `
			reason Unknown /w/q/zulu
			problems 1
			  Unknown /w/q/zulu
			event Unknown /w/q/zulu
			retry
`},
		{"adopt makes a copy the home", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, claimAt(alphaPath))
			order(o, agent.Relocated, alphaPath)
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			problems 1
			  DuplicateID /w/p/home
			event DuplicateID /w/p/home
			deed Relocated /w/p/alpha
`},
		{"adopt into another namespace takes the mail along", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, claimAt(alphaPath), claimAt(zuluPath))
			order(o, agent.Relocated, zuluPath)
		}, `
			reason Relocated /w/q/zulu
			do relocateRow
			  projectPath /w/p/home -> /w/q/zulu
			  namespace p -> q
			do ensureRules q
			do moveMail relay.agent.q.Self <- relay.agent.p.Self
			do removeRules p
			leaves p
			problems 2
			  DuplicateID /w/p/alpha
			  DuplicateID /w/p/home
			event DuplicateID /w/p/alpha
			event DuplicateID /w/p/home
			deed Relocated /w/q/zulu
`},
		{"adopt displaces whom it finds there", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Incumbent = &plan.Incumbent{ID: neighbour, Mount: disk} }))
			order(o, agent.Relocated, alphaPath)
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			displaces Neighbour OtherAgent, missing now, clock now, mount /dev/a
			problems 1
			  DuplicateID /w/p/home
			event Displaced /w/p/alpha
			event DuplicateID /w/p/home
			durable
			deed Relocated /w/p/alpha
`},
		{"adopt of a linked worktree while the home stands", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, changed(claimAt(alphaPath), worktree))
			order(o, agent.Relocated, alphaPath)
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			problems 1
			  DuplicateID /w/p/home
			event DuplicateID /w/p/home
			deed Relocated /w/p/alpha
`},
		{"adopt does not wait for a home in doubt nor for a listing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookUnknown(homePath))
			o.Complete = false
			claims(o, claimAt(alphaPath), claimOf(lookUnknown(zuluPath)))
			order(o, agent.Relocated, alphaPath)
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			deed Relocated /w/p/alpha
`},
		{"adopt of an orphan resurrects it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			with(o.Home, onStick)
			claims(o, claimAt(alphaPath))
			order(o, agent.Relocated, alphaPath)
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			  status unreachable -> active
			remembers nothing
			deed Relocated /w/p/alpha
`},
		{"adopt of the home by another name uses that spelling", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, changed(claimAt(alphaPath), sameDir))
			order(o, agent.Relocated, alphaPath)
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			deed Relocated /w/p/alpha
`},
		{"adopt of a place that does not carry the id does nothing", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, claimOf(lookPresent(alphaPath, neighbour)), claimAt(zuluPath))
			order(o, agent.Relocated, alphaPath)
		}, `
			reason DuplicateID /w/p/home
			problems 1
			  DuplicateID /w/q/zulu
			event DuplicateID /w/q/zulu
`},
		{"adopt of a denied place does nothing", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Denied = true }))
			order(o, agent.Relocated, alphaPath)
		}, `
			reason InSync /w/p/home
`},
		{"adopt of a place whose namespace is reserved does nothing", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Place.Problem = reservedNamespace() }))
			order(o, agent.Relocated, alphaPath)
		}, `
			reason InSync /w/p/home
			problems 1
			  ManifestInvalid /w/p/alpha
			event ManifestInvalid /w/p/alpha
`},
		{"adopt of the home finds nothing to do", func(o *plan.Observation, _ *plan.Policy) {
			order(o, agent.Relocated, homePath)
		}, `
			reason InSync /w/p/home
`},
		{"adopt of an id without a row prefers the named place", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath), changed(claimAt(zuluPath), func(c *plan.Claim) { worktree(c); refused(c) }))
			order(o, agent.Relocated, zuluPath)
		}, `
			reason Discovered /w/q/zulu
			do insertRow
			do ensureRules q
			do ensureEndpoint relay.agent.q.Self
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
			deed Discovered /w/q/zulu
`},
		{"adopt of an id without a row does not wait for the others", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			claims(o, changed(claimAt(alphaPath), incomplete), claimOf(lookUnknown("/w/p/doubt")), changed(claimAt(zuluPath), worktree))
			order(o, agent.Relocated, zuluPath)
		}, `
			reason Relocated /w/q/zulu
			do insertRow
			do ensureRules q
			do moveMail relay.agent.q.Self <- relay.agent.p.Self
			do removeRules p
			leaves p
			remembers nothing
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
			deed Relocated /w/q/zulu
`},
		{"adopt of a case twin is refused", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath))
			o.Twin = "SELF"
			order(o, agent.Relocated, alphaPath)
		}, `
			reason DuplicateID /w/p/alpha
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
`},
		{"adopt does not overrule the deny list at home", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, denied)
			claims(o, claimAt(alphaPath))
			order(o, agent.Relocated, alphaPath)
		}, `
			reason Denied /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			durable
			bury Denied /w/p/home
			deed Denied /w/p/home
`},
	}
}
