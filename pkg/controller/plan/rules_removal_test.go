package plan_test

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// removalRules are section 6 of the design: when an orphan goes, and what keeps it.
func removalRules() []rule {
	return []rule{
		{"not removed one nanosecond before the grace", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace-1)
		}, `
`},
		{"removed exactly at the grace", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
		}, `
`},
		{"removed at the grace when another writer kept it active", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Row.Status = agent.Active
		}, `
`},
		{"settle wants two looks", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Looks, o.AbsentFor = 1, settle
		}, `
`},
		{"settle wants its time", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.AbsentFor = settle - time.Second
		}, `
`},
		{"settle is at most the grace", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, 2*time.Second)
			p.OrphanGrace = 2 * time.Second
			o.AbsentFor = 2 * time.Second
		}, `
`},
		{"settle is not below the grace", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, 2*time.Second)
			p.OrphanGrace = 2 * time.Second
			o.AbsentFor = 2*time.Second - 1
		}, `
`},
		{"one-shot wants a second look", func(o *plan.Observation, p *plan.Policy) {
			*p = oneShot
			orphan(o, grace)
			o.Looks, o.AbsentFor = 1, 0
		}, `
`},
		{"one-shot has had its second look", func(o *plan.Observation, p *plan.Policy) {
			*p = oneShot
			orphan(o, grace)
			o.Looks, o.AbsentFor = 2, 0
		}, `
`},
		{"one-shot does not shorten the grace", func(o *plan.Observation, p *plan.Policy) {
			*p = oneShot
			orphan(o, grace-1)
		}, `
`},
		{"incomplete listing keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Complete = false
		}, `
`},
		{"lost index keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.IndexLost = true
		}, `
`},
		{"mass hold keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-grace), Until: now.Wall.Add(2 * grace)}
		}, `
`},
		{"mass hold that is over does not", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-grace), Until: now.Wall}
		}, `
`},
		{"mass hold does not shorten the grace", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-time.Hour), Until: now.Wall.Add(time.Hour)}
		}, `
`},
		{"unmounted grace replaces the grace", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
		}, `
`},
		{"unmounted grace ends", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, unmounted)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
		}, `
`},
		{"unmounted grace 0 never ends", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, 10*unmounted)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
			p.UnmountedGrace = 0
		}, `
`},
		{"lost agent has the unmounted grace", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.State.Lost = true
		}, `
`},
		{"step forward within a boot does not count", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.State.Clock.Offset -= grace + time.Second
		}, `
`},
		{"step backward within a boot is believed", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace-time.Hour)
			o.State.Clock.Offset += 2 * time.Hour
		}, `
`},
		{"wall time of another boot counts", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			otherBoot(&o.State.Clock)
		}, `
`},
		{"forecast takes looks and listing for granted", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, grace)
			p.Forecast = true
			o.Looks, o.Complete, o.IndexLost = 0, false, true
		}, `
`},
		{"forecast does not shorten the grace", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, grace-1)
			p.Forecast = true
		}, `
`},
		{"manifest elsewhere keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Home = homeOf(lookFileMissing(homePath))
			claims(o, changed(claimAt(zuluPath), worktree))
		}, `
`},
		{"invalid manifest elsewhere keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			claims(o, claimOf(lookInvalid(zuluPath)))
		}, `
`},
		{"place in doubt keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			claims(o, claimOf(lookUnknown(zuluPath)))
		}, `
`},
		{"denied copy does not keep it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			claims(o, changed(claimAt(zuluPath), func(c *plan.Claim) { c.Denied = true }))
		}, `
`},
		{"relay that is down keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Relay = plan.Relay{Enabled: true, Down: "connection refused"}
		}, `
`},
		{"removal leaves the rules that others need", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Relay.Shared = map[string]bool{"p": true}
		}, `
`},
		{"removal takes every address", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Relay.Endpoints = append(o.Relay.Endpoints, endpoint("q"))
		}, `
`},
		{"removal without a relay", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Relay = plan.Relay{}
		}, `
`},
		{"removal keeps the pause", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.State.Paused = true
		}, `
`},
		{"displaced is removed at its grace", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, grace)
		}, `
`},
	}
}
