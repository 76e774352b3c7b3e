package plan_test

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// identityRules are section 5 of the design: who is who, and where.
func identityRules() []rule {
	return []rule{
		{"nothing to do", func(_ *plan.Observation, _ *plan.Policy) {

		}, `
`},
		{"newcomer is discovered", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath))
		}, `
`},
		{"newcomer displaces whom it finds at its path", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Incumbent = &plan.Incumbent{ID: neighbour, Mount: disk} }))
		}, `
`},
		{"newcomer on another volume displaces with VolumeMissing", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), func(c *plan.Claim) {
				c.Look.Mount = stick
				c.Incumbent = &plan.Incumbent{ID: neighbour, Mount: disk}
			}))
		}, `
`},
		{"row at the same path is updated in place", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldName] = agent.TextCell("old")
			o.Row.Fields[agent.FieldCapabilities] = agent.Cell{Kind: agent.Other}
		}, `
`},
		{"a column that is not ours to write is no drift", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldTraits] = agent.TextCell("{}")
			o.Written = everyField &^ (1 << agent.FieldTraits)
		}, `
`},
		{"status that another writer set is drift", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Status = "inactive"
		}, `
`},
		{"scan root that does not contain the path is drift", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.ScanRoot = "/elsewhere"
		}, `
`},
		{"scan root that contains the path stays", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.ScanRoot = "/w/p"
		}, `
`},
		{"relocates on ManifestMissing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookFileMissing(homePath))
			claims(o, claimAt(alphaPath))
		}, `
`},
		{"relocates on PathMissing", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, claimAt(alphaPath))
		}, `
`},
		{"relocates on OtherAgent", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookPresent(homePath, neighbour))
			claims(o, claimAt(alphaPath))
		}, `
`},
		{"relocates into an occupied path", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Incumbent = &plan.Incumbent{ID: neighbour} }))
		}, `
`},
		{"relocation resurrects an orphan", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			claims(o, claimAt(alphaPath))
		}, `
`},
		{"relocation to another namespace moves address and rules", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, claimAt(zuluPath))
		}, `
`},
		{"relocation waits for a complete listing", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			o.Complete = false
			claims(o, claimAt(alphaPath))
		}, `
`},
		{"relocation waits for a complete listing of the new place", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, changed(claimAt(alphaPath), incomplete))
		}, `
`},
		{"relocation waits while a place is in doubt", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, claimAt(alphaPath), claimOf(lookUnknown(zuluPath)))
		}, `
`},
		{"who was refused stays on record while a move waits", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			o.Complete = false
			claims(o, changed(claimAt(alphaPath), refused), claimAt(zuluPath))
			o.Problems = []agent.Problem{{Path: alphaPath, Reason: agent.DuplicateID, ID: self, Message: "refused"}}
		}, `
`},
		{"who was refused stays on record while a place is in doubt", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), refused), claimOf(lookUnknown(zuluPath)))
			o.Problems = []agent.Problem{{Path: alphaPath, Reason: agent.DuplicateID, ID: self, Message: "refused"}}
		}, `
`},
		{"of several the recorded directory is the moved one", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, claimAt(alphaPath), changed(claimAt(zuluPath), func(c *plan.Claim) { sameDir(c); refused(c); worktree(c) }))
		}, `
`},
		{"of several one not refused before", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, changed(claimAt(alphaPath), refused), changed(claimAt(zuluPath), worktree))
		}, `
`},
		{"of several the path of the tombstone", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath), changed(claimAt(zuluPath), worktree))
			o.Tombstone = tombstone(agent.Removed, zuluPath)
			o.Home = homeOf(lookPresent(zuluPath, self))
		}, `
`},
		{"of several the main worktree over a linked one", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), worktree), claimAt(zuluPath))
		}, `
`},
		{"of several the first in lexical order", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath), claimAt(zuluPath))
		}, `
`},
		{"several newcomers wait for a complete listing", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath), changed(claimAt(zuluPath), incomplete))
		}, `
`},
		{"two names of one directory use the recorded spelling", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), sameDir), changed(claimAt(zuluPath), sameDir))
			o.Tombstone = tombstone(agent.Removed, zuluPath)
			o.Home = homeOf(lookPresent(zuluPath, self))
		}, `
`},
		{"worktree inherits when the directory is gone", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, changed(claimAt(alphaPath), worktree))
		}, `
`},
		{"worktree does not inherit while the directory stands", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookFileMissing(homePath))
			claims(o, changed(claimAt(alphaPath), worktree))
		}, `
`},
		{"worktree does not inherit from a displaced directory that stands", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			claims(o, changed(claimAt(alphaPath), worktree))
		}, `
`},
		{"duplicate is refused and mutates nothing", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Incumbent = &plan.Incumbent{ID: neighbour} }), claimAt(zuluPath))
		}, `
`},
		{"duplicate that is known is quiet", func(o *plan.Observation, p *plan.Policy) {
			claims(o, claimAt(alphaPath))
			o.Problems = plan.Compute(*o, *p).Change.Problems
		}, `
`},
		{"home Unknown refuses", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookUnknown(homePath))
			claims(o, claimAt(alphaPath))
		}, `
`},
		{"home Invalid refuses", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookInvalid(homePath))
			claims(o, claimAt(alphaPath))
		}, `
`},
		{"home VolumeMissing refuses", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = with(homeOf(lookDirMissing(homePath)), onStick)
			claims(o, claimAt(alphaPath))
		}, `
`},
		{"alias of the home is no duplicate", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, changed(claimAt(alphaPath), sameDir))
		}, `
`},
		{"case twin is refused", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath))
			o.Twin = "SELF"
		}, `
`},
		{"isSystem counts in the managed home", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, managed)
		}, `
`},
		{"isSystem is ignored elsewhere", func(o *plan.Observation, _ *plan.Policy) {
			o.Home.Look.Manifest.IsSystem = true
		}, `
`},
		{"namespace that is reserved is invalid at home", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, reserved)
		}, `
`},
		{"namespace that is reserved is invalid for a newcomer", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Place.Problem = reservedNamespace() }))
		}, `
`},
		{"denied agent leaves index and relay at once", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, denied)
		}, `
`},
		{"denied agent waits for a relay that is down", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, denied)
			o.Relay = plan.Relay{Enabled: true, Down: "connection refused"}
		}, `
`},
		{"denied newcomer is not imported", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Denied = true }))
		}, `
`},
		{"namespace change moves address, mail and rules", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldNamespace] = agent.TextCell("old")
			o.Relay.Endpoints = []agent.Endpoint{endpoint("old")}
			o.Relay.Rules = map[string]agent.RuleSet{"old": {Deny: true, Allow: true}}
		}, `
`},
		{"namespace change leaves the rules that others need", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldNamespace] = agent.TextCell("old")
			o.Relay.Endpoints = []agent.Endpoint{endpoint("old")}
			o.Relay.Rules["old"] = agent.RuleSet{Deny: true, Allow: true}
			o.Relay.Shared = map[string]bool{"old": true}
		}, `
`},
		{"end of a system agent ends its system rules only", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldIsSystem] = agent.BoolCell(true)
			o.Relay.Rules["p"] = agent.RuleSet{Deny: true, Allow: true, SystemOut: true, SystemIn: true}
		}, `
`},
		{"Present teaches another mount", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, onStick)
		}, `
`},
	}
}
