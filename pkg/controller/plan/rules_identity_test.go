package plan_test

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// identityRules are section 5 of the design: who is who, and where.
func identityRules() []rule {
	return []rule{
		{"nothing to do", func(_ *plan.Observation, _ *plan.Policy) {}, `
			reason InSync /w/p/home
`},
		{"newcomer is discovered", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath))
		}, `
			reason Discovered /w/p/alpha
			do insertRow
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			deed Discovered /w/p/alpha
`},
		{"newcomer displaces whom it finds at its path", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Incumbent = &plan.Incumbent{ID: neighbour, Mount: disk} }))
		}, `
			reason Discovered /w/p/alpha
			do insertRow
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			displaces Neighbour OtherAgent, missing now, clock now, mount /dev/a
			event Displaced /w/p/alpha
			durable
			deed Discovered /w/p/alpha
`},
		{"newcomer on another volume displaces with VolumeMissing", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), func(c *plan.Claim) {
				c.Look.Mount = stick
				c.Incumbent = &plan.Incumbent{ID: neighbour, Mount: disk}
			}))
		}, `
			reason Discovered /w/p/alpha
			do insertRow
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			displaces Neighbour VolumeMissing, missing now, clock now, mount /dev/a
			remembers mount /dev/b
			event Displaced /w/p/alpha
			durable
			deed Discovered /w/p/alpha
`},
		{"row at the same path is updated in place", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldName] = agent.TextCell("old")
			o.Row.Fields[agent.FieldCapabilities] = agent.Cell{Kind: agent.Other}
		}, `
			reason Drifted /w/p/home
			do updateRow
			  name old -> name of Self
			  capabilities  -> []
			deed Drifted /w/p/home
`},
		{"a column that is not ours to write is no drift", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldTraits] = agent.TextCell("{}")
		}, `
			reason InSync /w/p/home
`},
		{"status that another writer set is drift", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Status = "inactive"
		}, `
			reason Drifted /w/p/home
			do markActive
			  status inactive -> active
			deed Drifted /w/p/home
`},
		{"scan root that does not contain the path is drift", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.ScanRoot = "/elsewhere"
		}, `
			reason Drifted /w/p/home
			do updateRow
			  scanRoot /elsewhere -> /w
			deed Drifted /w/p/home
`},
		{"scan root that contains the path stays", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.ScanRoot = "/w/p"
		}, `
			reason InSync /w/p/home
`},
		{"relocates on ManifestMissing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookFileMissing(homePath))
			claims(o, claimAt(alphaPath))
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			deed Relocated /w/p/alpha
`},
		{"relocates on PathMissing", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, claimAt(alphaPath))
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			deed Relocated /w/p/alpha
`},
		{"relocates on OtherAgent", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookPresent(homePath, neighbour))
			claims(o, claimAt(alphaPath))
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			deed Relocated /w/p/alpha
`},
		{"relocates into an occupied path", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Incumbent = &plan.Incumbent{ID: neighbour} }))
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			displaces Neighbour OtherAgent, missing now, clock now
			event Displaced /w/p/alpha
			durable
			deed Relocated /w/p/alpha
`},
		{"relocation resurrects an orphan", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			claims(o, claimAt(alphaPath))
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			  status unreachable -> active
			remembers nothing
			deed Relocated /w/p/alpha
`},
		{"relocation to another namespace moves address and rules", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, claimAt(zuluPath))
		}, `
			reason Relocated /w/q/zulu
			do relocateRow
			  projectPath /w/p/home -> /w/q/zulu
			  namespace p -> q
			do ensureRules q
			do moveMail relay.agent.q.Self <- relay.agent.p.Self
			do removeRules p
			leaves p
			deed Relocated /w/q/zulu
`},
		{"relocation records the namespace that it leaves without a relay", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, claimAt(zuluPath))
			o.Relay = plan.Relay{}
		}, `
			reason Relocated /w/q/zulu
			do relocateRow
			  projectPath /w/p/home -> /w/q/zulu
			  namespace p -> q
			leaves p
			deed Relocated /w/q/zulu
`},
		{"relocation waits for a complete listing", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			o.Complete = false
			claims(o, claimAt(alphaPath))
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers PathMissing, missing now, clock now, mount /dev/a
			event PathMissing /w/p/home
			durable
			hold IncompleteListing now until never
			starts
			needSweep
`},
		{"relocation waits for a complete listing of the new place", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, changed(claimAt(alphaPath), incomplete))
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers PathMissing, missing now, clock now, mount /dev/a
			event PathMissing /w/p/home
			durable
			hold IncompleteListing now until never
			starts
			needSweep
`},
		{"relocation waits while a place is in doubt", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, claimAt(alphaPath), claimOf(lookUnknown(zuluPath)))
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers PathMissing, missing now, clock now, mount /dev/a
			event PathMissing /w/p/home
			durable
			hold IncompleteListing now until never
			starts
			needSweep
`},
		{"who was refused stays on record while a move waits", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			o.Complete = false
			claims(o, changed(claimAt(alphaPath), refused), claimAt(zuluPath))
			o.Problems = []agent.Problem{{Path: alphaPath, Reason: agent.DuplicateID, ID: self, Message: "refused"}}
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers PathMissing, missing now, clock now, mount /dev/a
			event PathMissing /w/p/home
			durable
			hold IncompleteListing now until never
			starts
			needSweep
`},
		{"who was refused stays on record while a place is in doubt", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), refused), claimOf(lookUnknown(zuluPath)))
			o.Problems = []agent.Problem{{Path: alphaPath, Reason: agent.DuplicateID, ID: self, Message: "refused"}}
		}, `
			reason Unknown /w/q/zulu
			problems 2
			  DuplicateID /w/p/alpha
			  Unknown /w/q/zulu
			event Unknown /w/q/zulu
			retry
`},
		{"of several the recorded directory is the moved one", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, claimAt(alphaPath), changed(claimAt(zuluPath), func(c *plan.Claim) { sameDir(c); refused(c); worktree(c) }))
		}, `
			reason Relocated /w/q/zulu
			do relocateRow
			  projectPath /w/p/home -> /w/q/zulu
			  namespace p -> q
			do ensureRules q
			do moveMail relay.agent.q.Self <- relay.agent.p.Self
			do removeRules p
			leaves p
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
			deed Relocated /w/q/zulu
`},
		{"of several one not refused before", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, changed(claimAt(alphaPath), refused), changed(claimAt(zuluPath), worktree))
		}, `
			reason Relocated /w/q/zulu
			do relocateRow
			  projectPath /w/p/home -> /w/q/zulu
			  namespace p -> q
			do ensureRules q
			do moveMail relay.agent.q.Self <- relay.agent.p.Self
			do removeRules p
			leaves p
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
			deed Relocated /w/q/zulu
`},
		{"of several the path of the tombstone", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath), changed(claimAt(zuluPath), worktree))
			o.Tombstone = tombstone(agent.Removed, zuluPath)
			o.Home = homeOf(lookPresent(zuluPath, self))
			o.Home.Dir = agent.FileID{} // not known after a restart
		}, `
			reason Resurrected /w/q/zulu
			do insertRow
			do ensureRules q
			do ensureEndpoint relay.agent.q.Self
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
			deed Resurrected /w/q/zulu
`},
		{"of several the main worktree over a linked one", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), worktree), claimAt(zuluPath))
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
		{"of several the first in lexical order", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath), claimAt(zuluPath))
		}, `
			reason Discovered /w/p/alpha
			do insertRow
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			problems 1
			  DuplicateID /w/q/zulu
			event DuplicateID /w/q/zulu
			deed Discovered /w/p/alpha
`},
		{"several newcomers wait for a complete listing", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath), changed(claimAt(zuluPath), incomplete))
		}, `
			reason IncompleteListing /w/p/alpha
			hold IncompleteListing now until never
			needSweep
`},
		{"two names of one directory use the recorded spelling", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), sameDir), changed(claimAt(zuluPath), sameDir))
			o.Tombstone = tombstone(agent.Removed, zuluPath)
			o.Home = homeOf(lookPresent(zuluPath, self))
		}, `
			reason Resurrected /w/q/zulu
			do insertRow
			do ensureRules q
			do ensureEndpoint relay.agent.q.Self
			deed Resurrected /w/q/zulu
`},
		{"two names of one directory are one newcomer", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), sameDir), changed(claimAt(zuluPath), func(c *plan.Claim) { sameDir(c); incomplete(c) }))
		}, `
			reason Discovered /w/p/alpha
			do insertRow
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			deed Discovered /w/p/alpha
`},
		{"two names of one directory are one case twin", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), sameDir), changed(claimAt(zuluPath), sameDir))
			o.Twin = "SELF"
		}, `
			reason DuplicateID /w/p/alpha
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
`},
		{"worktree inherits when the directory is gone", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			claims(o, changed(claimAt(alphaPath), worktree))
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			deed Relocated /w/p/alpha
`},
		{"worktree does not inherit while the directory stands", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookFileMissing(homePath))
			claims(o, changed(claimAt(alphaPath), worktree))
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
		{"worktree from which an agent was displaced is its home still", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			o.Home = homeOf(lookPresent(homePath, self))
			claims(o, changed(claimAt(homePath), worktree))
		}, `
			reason Resurrected /w/p/home
			do insertRow
			remembers nothing
			deed Resurrected /w/p/home
`},
		{"worktree does not inherit from a displaced directory that stands", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			claims(o, changed(claimAt(alphaPath), worktree))
		}, `
			reason Displaced /w/p/home
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
`},
		{"duplicate is refused and mutates nothing", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Incumbent = &plan.Incumbent{ID: neighbour} }), claimAt(zuluPath))
		}, `
			reason DuplicateID /w/p/home
			problems 2
			  DuplicateID /w/p/alpha
			  DuplicateID /w/q/zulu
			event DuplicateID /w/p/alpha
			event DuplicateID /w/q/zulu
`},
		{"duplicate that is known is quiet", func(o *plan.Observation, p *plan.Policy) {
			claims(o, claimAt(alphaPath))
			o.Problems = plan.Compute(*o, *p).Change.Problems
		}, `
			reason DuplicateID /w/p/home
`},
		{"home Unknown refuses", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookUnknown(homePath))
			claims(o, claimAt(alphaPath))
		}, `
			reason Unknown /w/p/home
			problems 2
			  DuplicateID /w/p/alpha
			  Unknown /w/p/home
			event DuplicateID /w/p/alpha
			event Unknown /w/p/home
			retry
`},
		{"home Invalid refuses", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookInvalid(homePath))
			claims(o, claimAt(alphaPath))
		}, `
			reason ManifestInvalid /w/p/home
			problems 2
			  DuplicateID /w/p/alpha
			  ManifestInvalid /w/p/home
			event DuplicateID /w/p/alpha
			event ManifestInvalid /w/p/home
`},
		{"home VolumeMissing refuses", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = with(homeOf(lookDirMissing(homePath)), onStick)
			claims(o, claimAt(alphaPath))
		}, `
			reason VolumeMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers VolumeMissing, missing now, clock now, mount /dev/a
			problems 1
			  DuplicateID /w/p/alpha
			event VolumeMissing /w/p/home
			event DuplicateID /w/p/alpha
			durable
			starts
`},
		{"alias of the home is no duplicate", func(o *plan.Observation, _ *plan.Policy) {
			claims(o, changed(claimAt(alphaPath), sameDir))
		}, `
			reason InSync /w/p/home
`},
		{"case twin is refused", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath))
			o.Twin = "SELF"
		}, `
			reason DuplicateID /w/p/alpha
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
`},
		{"isSystem counts in the managed home", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, managed)
		}, `
			reason Drifted /w/p/home
			do updateRow
			  isSystem 0 -> 1
			do ensureRules p system
			deed Drifted /w/p/home
`},
		{"isSystem is ignored elsewhere", func(o *plan.Observation, _ *plan.Policy) {
			o.Home.Look.Manifest.IsSystem = true
		}, `
			reason InSync /w/p/home
`},
		{"namespace that is reserved is invalid at home", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, reserved)
		}, `
			reason ManifestInvalid /w/p/home
			problems 1
			  ManifestInvalid /w/p/home
			event ManifestInvalid /w/p/home
`},
		{"namespace that is reserved is invalid for a newcomer", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Place.Problem = reservedNamespace() }))
		}, `
			reason ManifestInvalid /w/p/alpha
			problems 1
			  ManifestInvalid /w/p/alpha
			event ManifestInvalid /w/p/alpha
`},
		{"denied agent leaves index and relay at once", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, denied)
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
		{"denied agent waits for a relay that is down", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, denied)
			o.Relay = plan.Relay{Enabled: true, Down: "connection refused"}
		}, `
			reason Denied /w/p/home
			retry
`},
		{"denied agent that was displaced leaves at once where it is back", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			o.Home = with(homeOf(lookPresent(homePath, o.ID)), denied)
		}, `
			reason Denied /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Denied /w/p/home
			deed Denied /w/p/home
`},
		{"denied newcomer is not imported", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Denied = true }))
		}, `
			reason InSync
`},
		{"namespace change moves address, mail and rules", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldNamespace] = agent.TextCell("old")
			o.Relay.Endpoints = []agent.Endpoint{endpoint("old")}
			o.Relay.Rules = map[string]agent.RuleSet{"old": {Deny: true, Allow: true}}
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
		{"namespace change leaves the rules that others need", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldNamespace] = agent.TextCell("old")
			o.Relay.Endpoints = []agent.Endpoint{endpoint("old")}
			o.Relay.Rules["old"] = agent.RuleSet{Deny: true, Allow: true}
			o.Relay.Shared = map[string]bool{"old": true}
		}, `
			reason NamespaceChanged /w/p/home
			do updateRow
			  namespace old -> p
			do moveMail relay.agent.p.Self <- relay.agent.old.Self
			leaves old
			deed NamespaceChanged /w/p/home
`},
		{"end of a system agent ends its system rules only", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldIsSystem] = agent.BoolCell(true)
			o.Relay.Rules["p"] = agent.RuleSet{Deny: true, Allow: true, SystemOut: true, SystemIn: true}
		}, `
			reason Drifted /w/p/home
			do updateRow
			  isSystem 1 -> 0
			do removeRules p system
			leaves p
			deed Drifted /w/p/home
`},
		{"Present teaches another mount", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, onStick)
		}, `
			reason InSync /w/p/home
			remembers mount /dev/b
`},
	}
}
