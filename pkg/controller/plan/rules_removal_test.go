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
			reason PathMissing /w/p/home
			removeAt now+1ns
			requeue 1ns
`},
		{"removed exactly at the grace", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"removed at the grace when another writer kept it active", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Row.Status = agent.Active
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"settle wants two looks", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Looks, o.AbsentFor = 1, settle
		}, `
			reason PathMissing /w/p/home
			hold Settling now-1m0s until now+1s
			held
			removeAt now
			requeue 1s
`},
		{"settle wants its time", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.AbsentFor = settle - time.Second
		}, `
			reason PathMissing /w/p/home
			hold Settling now-59s until now+1s
			held
			removeAt now
			requeue 1s
`},
		{"settle is at most the grace", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, 2*time.Second)
			p.OrphanGrace = 2 * time.Second
			o.AbsentFor = 2 * time.Second
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"settle is not below the grace", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, 2*time.Second)
			p.OrphanGrace = 2 * time.Second
			o.AbsentFor = 2*time.Second - 1
		}, `
			reason PathMissing /w/p/home
			hold Settling now-1.999999999s until now+1s
			held
			removeAt now
			requeue 1s
`},
		{"one-shot wants a second look", func(o *plan.Observation, p *plan.Policy) {
			*p = oneShot
			orphan(o, grace)
			o.Looks, o.AbsentFor = 1, 0
		}, `
			reason PathMissing /w/p/home
			hold Settling now until now
			held
			removeAt now
			secondLook
`},
		{"one-shot has had its second look", func(o *plan.Observation, p *plan.Policy) {
			*p = oneShot
			orphan(o, grace)
			o.Looks, o.AbsentFor = 2, 0
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"one-shot does not shorten the grace", func(o *plan.Observation, p *plan.Policy) {
			*p = oneShot
			orphan(o, grace-1)
		}, `
			reason PathMissing /w/p/home
			removeAt now+1ns
			requeue 1ns
`},
		{"incomplete listing keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Complete = false
		}, `
			reason PathMissing /w/p/home
			hold IncompleteListing now until never
			held
			removeAt now
			needSweep
`},
		{"lost index keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			lost(o, grace)
		}, `
			reason PathMissing /w/p/home
			hold IncompleteListing now until never
			held
			removeAt now
			needSweep
`},
		{"mass hold keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-grace), Until: now.Wall.Add(2 * grace)}
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now-24h0m0s, clock now-24h0m0s, mount /dev/a, held
			event MassMissing /w/p/home
			hold MassMissing now-24h0m0s until now+48h0m0s
			held
			removeAt now+48h0m0s
			requeue 48h0m0s
`},
		{"mass hold that is over does not", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-grace), Until: now.Wall}
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"mass hold that is over is not shown", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-time.Hour), Until: now.Wall}
		}, `
			reason PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"mass hold does not shorten the grace", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-time.Hour), Until: now.Wall.Add(time.Hour)}
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now-1h0m0s, clock now-1h0m0s, mount /dev/a, held
			hold MassMissing now-1h0m0s until now+1h0m0s
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"unmounted grace replaces the grace", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
		}, `
			reason VolumeMissing /w/p/home
			hold VolumeMissing now-48h0m0s until now+672h0m0s
			held
			removeAt now+672h0m0s
			requeue 672h0m0s
`},
		{"unmounted grace ends", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, unmounted)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"unmounted grace 0 never ends", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, 10*unmounted)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
			p.UnmountedGrace = 0
		}, `
			reason VolumeMissing /w/p/home
			hold VolumeMissing now-7200h0m0s until never
			held
`},
		{"lost agent has the unmounted grace", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.State.Lost = true
		}, `
			reason PathMissing /w/p/home
			removeAt now+672h0m0s
			requeue 672h0m0s
`},
		{"step forward within a boot does not count", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.State.Clock.Offset -= grace + time.Second
		}, `
			reason PathMissing /w/p/home
			removeAt now+1s
			requeue 1s
`},
		{"step backward within a boot is believed", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace-time.Hour)
			o.State.Clock.Offset += 2 * time.Hour
		}, `
			reason PathMissing /w/p/home
			removeAt now+1h0m0s
			requeue 1h0m0s
`},
		{"wall time of another boot counts", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			otherBoot(&o.State.Clock)
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"forecast takes looks and listing for granted", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, grace)
			p.Forecast = true
			o.Looks, o.Complete = 0, false
			lost(o, grace)
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"forecast does not shorten the grace", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, grace-1)
			p.Forecast = true
		}, `
			reason PathMissing /w/p/home
			removeAt now+1ns
			requeue 1ns
`},
		{"manifest elsewhere keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Home = homeOf(lookFileMissing(homePath))
			claims(o, changed(claimAt(zuluPath), worktree))
		}, `
			reason ManifestMissing /w/p/home
			remembers ManifestMissing, missing now-24h0m0s, clock now-24h0m0s, mount /dev/a
			problems 1
			  DuplicateID /w/q/zulu
			event DuplicateID /w/q/zulu
`},
		{"invalid manifest elsewhere keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			claims(o, claimOf(lookInvalid(zuluPath)))
		}, `
			reason PathMissing /w/p/home
`},
		{"place in doubt keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			claims(o, claimOf(lookUnknown(zuluPath)))
		}, `
			reason PathMissing /w/p/home
`},
		{"denied copy does not keep it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			claims(o, changed(claimAt(zuluPath), func(c *plan.Claim) { c.Denied = true }))
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"relay that is down keeps it", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Relay = plan.Relay{Enabled: true, Down: "connection refused"}
		}, `
			reason PathMissing /w/p/home
			removeAt now
			retry
`},
		{"removal leaves the rules that others need", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Relay.Shared = map[string]bool{"p": true}
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
		{"removal takes every address", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Relay.Endpoints = append(o.Relay.Endpoints, endpoint("q"))
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeEndpoint relay.agent.q.Self
			do removeRow
			do removeRules p
			leaves p
			leaves q
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"removal without a relay", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Relay.Enabled = false
		}, `
			reason Removed /w/p/home
			do removeRow
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"removal keeps the pause", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.State.Paused = true
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers paused
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"displaced is removed at its grace", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, grace)
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
	}
}
