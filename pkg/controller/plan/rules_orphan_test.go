package plan_test

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// orphanRules are section 6 of the design: what an absence starts and what ends it.
func orphanRules() []rule {
	return []rule{
		{"ManifestMissing is unreachable at once", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookFileMissing(homePath))
		}, `
`},
		{"PathMissing is unreachable at once", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
		}, `
`},
		{"VolumeMissing is unreachable at once", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = with(homeOf(lookDirMissing(homePath)), onStick)
		}, `
`},
		{"OtherAgent is unreachable at once", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookPresent(homePath, neighbour))
		}, `
`},
		{"OtherAgent on another volume is VolumeMissing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = with(homeOf(lookPresent(homePath, neighbour)), onStick)
		}, `
`},
		{"never Present and the anchor gone is VolumeMissing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = with(homeOf(lookDirMissing(homePath)), neverPresent, anchorGone)
		}, `
`},
		{"never Present and the anchor there is PathMissing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = with(homeOf(lookDirMissing(homePath)), neverPresent)
		}, `
`},
		{"Invalid starts no clock", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookInvalid(homePath))
		}, `
`},
		{"Unknown changes nothing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookUnknown(homePath))
		}, `
`},
		{"Unknown does not touch a clock that runs", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.Home = homeOf(lookUnknown(homePath))
		}, `
`},
		{"Invalid does not touch a clock that runs", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.Home = homeOf(lookInvalid(homePath))
		}, `
`},
		{"unreachable row starts a clock without being written", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			o.Row.Status = agent.Unreachable
		}, `
`},
		{"re-observation moves nothing", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
		}, `
`},
		{"other evidence is remembered without moving the clock", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Home = homeOf(lookFileMissing(homePath))
		}, `
`},
		{"another writer's active is put back without moving the clock", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Row.Status = agent.Active
		}, `
`},
		{"Present clears", func(o *plan.Observation, _ *plan.Policy) {
			o.State = missingFor(time.Hour, agent.DirMissing)
			o.Row.Status = agent.Unreachable
		}, `
`},
		{"Present clears where another writer kept the row", func(o *plan.Observation, _ *plan.Policy) {
			o.State = missingFor(time.Hour, agent.DirMissing)
		}, `
`},
		{"Present keeps the pause", func(o *plan.Observation, _ *plan.Policy) {
			o.State = missingFor(time.Hour, agent.DirMissing)
			o.State.Paused = true
		}, `
`},
		{"clock in the future is rewritten once", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, -time.Hour)
		}, `
`},
		{"volume that comes back empty sets the clock anew", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, unmounted)
			o.State.Evidence = agent.VolumeGone
		}, `
`},
		{"volume that goes while missing does not set the clock anew", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			with(o.Home, onStick)
		}, `
`},
		{"displaced waits for its own grace", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
		}, `
`},
		{"displaced without a clock gets one", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, 0)
			o.State = nil
		}, `
`},
		{"displaced from another volume has the unmounted grace", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, 2*grace)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
		}, `
`},
		{"displaced waits while its place is in doubt", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, 2*grace)
			o.Home = homeOf(lookUnknown(homePath))
		}, `
`},
		{"displaced is restored elsewhere", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			claims(o, claimAt(zuluPath))
		}, `
`},
		{"displaced is restored in place", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			o.Home = homeOf(lookPresent(homePath, self))
			claims(o, changed(claimAt(homePath), func(c *plan.Claim) { c.Incumbent = &plan.Incumbent{ID: neighbour, Mount: disk} }))
		}, `
`},
		{"removed agent returns with its columns and mail", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(homePath))
			o.Tombstone, o.Home = tombstone(agent.Removed, homePath), homeOf(lookPresent(homePath, self))
			o.Relay.Kept = true
		}, `
`},
		{"leaked endpoint gets a clock", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay = healthyRelay()
		}, `
`},
		{"leaked endpoint of a lost index has the unmounted grace", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay = healthyRelay()
			o.IndexLost = true
		}, `
`},
		{"leaked endpoint goes when its grace is over", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay = healthyRelay()
			o.State = missingFor(grace, agent.DirMissing)
		}, `
`},
		{"leftover of a finished removal is retired without a clock", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay, o.Tombstone, o.Home = healthyRelay(), tombstone(agent.Removed, homePath), homeOf(lookDirMissing(homePath))
		}, `
`},
		{"leftover waits for a clock while the index is lost", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay, o.Tombstone, o.Home = healthyRelay(), tombstone(agent.Unregistered, homePath), homeOf(lookDirMissing(homePath))
			o.IndexLost = true
		}, `
`},
		{"nothing left is forgotten", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.State = missingFor(time.Hour, agent.DirMissing)
		}, `
`},
		{"nothing left but a pause stays paused", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.State = &agent.State{ID: self, Paused: true}
		}, `
`},
	}
}
