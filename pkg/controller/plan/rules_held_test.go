package plan_test

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// heldRules are about the end of a mass disappearance: that it held an orphan is
// remembered with it, so that a restart changes nothing.
func heldRules() []rule {
	return []rule{
		{"mass hold is remembered from its beginning", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			massHold(o, time.Minute)
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers PathMissing, missing now, clock now, mount /dev/a, held
			event PathMissing /w/p/home
			event MassMissing /w/p/home
			durable
			hold MassMissing now-1m0s until now+24h0m0s
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"mass hold is remembered once", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.State.Held = true
			massHold(o, grace)
		}, `
			reason PathMissing /w/p/home
			hold MassMissing now-24h0m0s until now+24h0m0s
			held
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"mass hold is remembered of a missing volume", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
			massHold(o, time.Hour)
		}, `
			reason VolumeMissing /w/p/home
			remembers VolumeMissing, missing now-1h0m0s, clock now-1h0m0s, mount /dev/a, held
			hold MassMissing now-1h0m0s until now+24h0m0s
			held
			removeAt now+719h0m0s
			requeue 719h0m0s
`},
		{"mass hold of one that is never removed is not remembered", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, time.Hour)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
			p.UnmountedGrace = 0
			massHold(o, time.Hour)
		}, `
			reason VolumeMissing /w/p/home
			hold VolumeMissing now-1h0m0s until never
			held
`},
		{"mass hold does not hold one whose manifest is elsewhere", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Home = homeOf(lookFileMissing(homePath))
			o.State.Evidence = agent.FileMissing
			o.Problems = []agent.Problem{{Path: alphaPath, Reason: agent.DuplicateID, ID: self, Message: "refused"}}
			claims(o, changed(changed(claimAt(alphaPath), worktree), refused))
			massHold(o, time.Hour)
		}, `
			reason ManifestMissing /w/p/home
			problems 1
			  DuplicateID /w/p/alpha
			event DuplicateID /w/p/alpha
`},
		{"that a mass hold has held it stays on record", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.State.Held = true
		}, `
			reason PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"mass hold that is over by time leaves the clock", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 3*grace)
			o.State.Held = true
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
		{"mass hold that ends by return sets the clock anew", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.State.Held, o.MassReturned = true, true
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now-48h0m0s, clock now, mount /dev/a
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"mass hold that ends by return sets the clock anew once", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.State.Clock.Wall, o.MassReturned = now.Wall.Add(-time.Hour), true
		}, `
			reason PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"mass hold that ends by return before the grace does sets the clock anew", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.State.Held, o.MassReturned = true, true
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now-1h0m0s, clock now, mount /dev/a
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"volume that comes back empty is not held any more", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, unmounted)
			o.State.Evidence, o.State.Held = agent.VolumeGone, true
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now-720h0m0s, clock now, mount /dev/a
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"Present ends a mass hold", func(o *plan.Observation, _ *plan.Policy) {
			o.State = missingFor(time.Hour, agent.DirMissing)
			o.State.Held, o.State.Paused = true, true
			o.Row.Status = agent.Unreachable
		}, `
			reason Resurrected /w/p/home
			do markActive
			  status unreachable -> active
			remembers paused
			deed Resurrected /w/p/home
`},
		{"another absence than the held one is not held", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			o.State = &agent.State{ID: self, Paused: true, Held: true}
			o.MassReturned = true
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers PathMissing, missing now, clock now, mount /dev/a, paused
			event PathMissing /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
	}
}

// lostRules are about an index that was restored from a backup: what it says of
// time before the loss was found out is not believed.
func lostRules() []rule {
	return []rule{
		{"clock from before the loss of the index begins anew", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			lost(o, time.Hour)
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now-48h0m0s, clock now, mount /dev/a
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"clock that begins with the loss of the index goes on", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			lost(o, time.Hour)
		}, `
			reason PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"clock from before a loss that lies in the future begins anew", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 1)
			lost(o, -time.Hour)
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now-1ns, clock now, mount /dev/a
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"clock of now is not written again for a loss that lies in the future", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 0)
			lost(o, -time.Hour)
		}, `
			reason PathMissing /w/p/home
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"clock from before the loss begins anew after the index was found", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			lost(o, time.Hour)
			o.IndexLost = false
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now-48h0m0s, clock now, mount /dev/a
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"clock of the displaced begins anew with its own grace", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, 2*grace)
			lost(o, time.Hour)
		}, `
			reason Displaced /w/p/home
			remembers OtherAgent, missing now-48h0m0s, clock now, mount /dev/a
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"clock of a missing volume begins anew", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, unmounted)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
			lost(o, time.Hour)
		}, `
			reason VolumeMissing /w/p/home
			remembers VolumeMissing, missing now-720h0m0s, clock now, mount /dev/a
			durable
			hold VolumeMissing now-720h0m0s until now+720h0m0s
			held
			removeAt now+720h0m0s
			requeue 720h0m0s
`},
		{"leftover from before the loss gets the unmounted grace, anew", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay = healthyRelay()
			o.State = missingFor(2*grace, agent.DirMissing)
			lost(o, time.Hour)
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			remembers PathMissing, missing now-48h0m0s, clock now, mount /dev/a, lost
			problems 1
			  EndpointLeaked /mail/relay.agent.p.Self
			event EndpointLeaked /mail/relay.agent.p.Self
			durable
			removeAt now+720h0m0s
			requeue 720h0m0s
`},
		{"leftover of an earlier loss begins anew with the next", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay = healthyRelay()
			o.State = missingFor(2*grace, agent.DirMissing)
			o.State.Lost = true
			lost(o, time.Hour)
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			remembers PathMissing, missing now-48h0m0s, clock now, mount /dev/a, lost
			problems 1
			  EndpointLeaked /mail/relay.agent.p.Self
			event EndpointLeaked /mail/relay.agent.p.Self
			durable
			removeAt now+720h0m0s
			requeue 720h0m0s
`},
		{"who was held before the loss is not held any more", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.State.Held = true
			lost(o, time.Hour)
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now-48h0m0s, clock now, mount /dev/a
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"forecast removes whose unregistration the loss made void, with a record", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, grace)
			o.Tombstone = tombstone(agent.Unregistered, homePath)
			p.Forecast = true
			lost(o, grace)
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			event Conflict /w/p/home
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"forecast counts from the loss of the index", func(o *plan.Observation, p *plan.Policy) {
			orphan(o, grace-1)
			p.Forecast = true
			lost(o, grace)
		}, `
			reason PathMissing /w/p/home
			removeAt now+1ns
			requeue 1ns
`},
	}
}
