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
			reason ManifestMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers ManifestMissing, missing now, clock now, mount /dev/a
			event ManifestMissing /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"PathMissing is unreachable at once", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers PathMissing, missing now, clock now, mount /dev/a
			event PathMissing /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"VolumeMissing is unreachable at once", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = with(homeOf(lookDirMissing(homePath)), onStick)
		}, `
			reason VolumeMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers VolumeMissing, missing now, clock now, mount /dev/a
			event VolumeMissing /w/p/home
			durable
			hold VolumeMissing now until now+720h0m0s
			held
			removeAt now+720h0m0s
			requeue 720h0m0s
			starts
`},
		{"OtherAgent is unreachable at once", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookPresent(homePath, neighbour))
		}, `
			reason ManifestMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers OtherAgent, missing now, clock now, mount /dev/a
			event ManifestMissing /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"OtherAgent on another volume is VolumeMissing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = with(homeOf(lookPresent(homePath, neighbour)), onStick)
		}, `
			reason VolumeMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers VolumeMissing, missing now, clock now, mount /dev/a
			event VolumeMissing /w/p/home
			durable
			hold VolumeMissing now until now+720h0m0s
			held
			removeAt now+720h0m0s
			requeue 720h0m0s
			starts
`},
		{"never Present and the anchor gone is VolumeMissing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = with(homeOf(lookDirMissing(homePath)), neverPresent, anchorGone)
		}, `
			reason VolumeMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers VolumeMissing, missing now, clock now
			event VolumeMissing /w/p/home
			durable
			hold VolumeMissing now until now+720h0m0s
			held
			removeAt now+720h0m0s
			requeue 720h0m0s
			starts
`},
		{"never Present and the anchor there is PathMissing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = with(homeOf(lookDirMissing(homePath)), neverPresent)
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			remembers PathMissing, missing now, clock now
			event PathMissing /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"Invalid starts no clock", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookInvalid(homePath))
		}, `
			reason ManifestInvalid /w/p/home
			problems 1
			  ManifestInvalid /w/p/home
			event ManifestInvalid /w/p/home
`},
		{"Unknown changes nothing", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookUnknown(homePath))
		}, `
			reason Unknown /w/p/home
			problems 1
			  Unknown /w/p/home
			event Unknown /w/p/home
			retry
`},
		{"Unknown does not touch a clock that runs", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.Home = homeOf(lookUnknown(homePath))
		}, `
			reason Unknown /w/p/home
			problems 1
			  Unknown /w/p/home
			event Unknown /w/p/home
			retry
`},
		{"Invalid does not touch a clock that runs", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			o.Home = homeOf(lookInvalid(homePath))
		}, `
			reason ManifestInvalid /w/p/home
			problems 1
			  ManifestInvalid /w/p/home
			event ManifestInvalid /w/p/home
`},
		{"unreachable row starts a clock without being written", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			o.Row.Status = agent.Unreachable
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now, clock now, mount /dev/a
			event PathMissing /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"re-observation moves nothing", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
		}, `
			reason PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"other evidence is remembered without moving the clock", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Home = homeOf(lookFileMissing(homePath))
		}, `
			reason ManifestMissing /w/p/home
			remembers ManifestMissing, missing now-1h0m0s, clock now-1h0m0s, mount /dev/a
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"another writer's active is put back without moving the clock", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			o.Row.Status = agent.Active
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			deed PathMissing /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"Present clears", func(o *plan.Observation, _ *plan.Policy) {
			o.State = missingFor(time.Hour, agent.DirMissing)
			o.Row.Status = agent.Unreachable
		}, `
			reason Resurrected /w/p/home
			do markActive
			  status unreachable -> active
			remembers nothing
			deed Resurrected /w/p/home
`},
		{"Present clears where another writer kept the row", func(o *plan.Observation, _ *plan.Policy) {
			o.State = missingFor(time.Hour, agent.DirMissing)
		}, `
			reason Resurrected /w/p/home
			remembers nothing
			deed Resurrected /w/p/home
`},
		{"Present keeps the pause", func(o *plan.Observation, _ *plan.Policy) {
			o.State = missingFor(time.Hour, agent.DirMissing)
			o.State.Paused = true
		}, `
			reason Resurrected /w/p/home
			remembers paused
			deed Resurrected /w/p/home
`},
		{"clock in the future is rewritten once", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, -time.Hour)
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now+1h0m0s, clock now, mount /dev/a
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"volume that comes back empty sets the clock anew", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, unmounted)
			o.State.Evidence = agent.VolumeGone
		}, `
			reason PathMissing /w/p/home
			remembers PathMissing, missing now-720h0m0s, clock now, mount /dev/a
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"volume that goes while missing does not set the clock anew", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, 2*grace)
			with(o.Home, onStick)
		}, `
			reason VolumeMissing /w/p/home
			remembers VolumeMissing, missing now-48h0m0s, clock now-48h0m0s, mount /dev/a
			hold VolumeMissing now-48h0m0s until now+672h0m0s
			held
			removeAt now+672h0m0s
			requeue 672h0m0s
`},
		{"displaced waits for its own grace", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
		}, `
			reason Displaced /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
		{"displaced without a clock gets one", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, 0)
			o.State = nil
		}, `
			reason Displaced /w/p/home
			remembers OtherAgent, missing now, clock now, mount /dev/a
			event Displaced /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"displaced from another volume has the unmounted grace", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, 2*grace)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
		}, `
			reason VolumeMissing /w/p/home
			hold VolumeMissing now-48h0m0s until now+672h0m0s
			held
			removeAt now+672h0m0s
			requeue 672h0m0s
`},
		{"displaced waits while its place is in doubt", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, 2*grace)
			o.Home = homeOf(lookUnknown(homePath))
		}, `
			reason Displaced /w/p/home
			retry
`},
		{"displaced is restored elsewhere", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			claims(o, claimAt(zuluPath))
		}, `
			reason Relocated /w/q/zulu
			do insertRow
			do ensureRules q
			do moveMail relay.agent.q.Self <- relay.agent.p.Self
			do removeRules p
			leaves p
			remembers nothing
			deed Relocated /w/q/zulu
`},
		{"displaced is restored in place", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			o.Home = homeOf(lookPresent(homePath, self))
			claims(o, changed(claimAt(homePath), func(c *plan.Claim) { c.Incumbent = &plan.Incumbent{ID: neighbour, Mount: disk} }))
		}, `
			reason Resurrected /w/p/home
			do insertRow
			displaces Neighbour OtherAgent, missing now, clock now, mount /dev/a
			remembers nothing
			event Displaced /w/p/home
			durable
			deed Resurrected /w/p/home
`},
		{"removed agent returns with its columns and mail", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(homePath))
			o.Tombstone, o.Home = tombstone(agent.Removed, homePath), homeOf(lookPresent(homePath, self))
			o.Relay.Kept = true
		}, `
			reason Resurrected /w/p/home
			do insertRow
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			do moveMail relay.agent.p.Self <-
			deed Resurrected /w/p/home
`},
		{"leaked endpoint gets a clock", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay = healthyRelay()
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			remembers PathMissing, missing now, clock now
			problems 1
			  EndpointLeaked /mail/relay.agent.p.Self
			event EndpointLeaked /mail/relay.agent.p.Self
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"leaked endpoint of a lost index has the unmounted grace", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay = healthyRelay()
			lost(o, 0)
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			remembers PathMissing, missing now, clock now, lost
			problems 1
			  EndpointLeaked /mail/relay.agent.p.Self
			event EndpointLeaked /mail/relay.agent.p.Self
			durable
			removeAt now+720h0m0s
			requeue 720h0m0s
			starts
`},
		{"leaked endpoint goes when its grace is over", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay = healthyRelay()
			o.State = missingFor(grace, agent.DirMissing)
		}, `
			reason Removed /mail/relay.agent.p.Self
			do removeEndpoint relay.agent.p.Self
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed
			deed Removed /mail/relay.agent.p.Self
			removeAt now
`},
		{"leaked endpoint has no clock beside a refused manifest", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(homePath))
			o.Claims[0].Place.Problem = reservedNamespace()
			o.Relay = healthyRelay()
			o.State = missingFor(time.Hour, agent.DirMissing)
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			remembers nothing
			problems 2
			  EndpointLeaked /mail/relay.agent.p.Self
			  ManifestInvalid /w/p/home
			event EndpointLeaked /mail/relay.agent.p.Self
			event ManifestInvalid /w/p/home
`},
		{"leaked endpoint keeps its clock beside a manifest that cannot be told", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(homePath))
			o.Claims[0].Look = lookInvalid(homePath)
			o.Relay = healthyRelay()
			o.State = missingFor(grace, agent.DirMissing)
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			problems 1
			  EndpointLeaked /mail/relay.agent.p.Self
			event EndpointLeaked /mail/relay.agent.p.Self
`},
		{"leaked endpoint gets no clock beside a manifest that cannot be told", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(homePath))
			o.Claims[0].Look = lookInvalid(homePath)
			o.Relay = healthyRelay()
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			problems 1
			  EndpointLeaked /mail/relay.agent.p.Self
			event EndpointLeaked /mail/relay.agent.p.Self
`},
		{"leftover of a finished removal is retired without a clock", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay, o.Tombstone, o.Home = healthyRelay(), tombstone(agent.Removed, homePath), homeOf(lookDirMissing(homePath))
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRules p
			leaves p
			deed Removed /w/p/home
`},
		{"leftover of a finished removal stays beside a refused manifest", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(homePath))
			o.Claims[0].Place.Problem = reservedNamespace()
			o.Relay, o.Tombstone, o.Home = healthyRelay(), tombstone(agent.Removed, homePath), homeOf(lookDirMissing(homePath))
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			problems 2
			  EndpointLeaked /mail/relay.agent.p.Self
			  ManifestInvalid /w/p/home
			event EndpointLeaked /mail/relay.agent.p.Self
			event ManifestInvalid /w/p/home
`},
		{"leftover of a finished removal stays while its home cannot be told", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay, o.Tombstone, o.Home = healthyRelay(), tombstone(agent.Removed, homePath), homeOf(lookUnknown(homePath))
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			problems 1
			  EndpointLeaked /mail/relay.agent.p.Self
			event EndpointLeaked /mail/relay.agent.p.Self
			retry
`},
		{"leftover of a finished removal goes when its home was denied since", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay, o.Tombstone, o.Home = healthyRelay(), tombstone(agent.Removed, homePath), homeOf(lookPresent(homePath, self))
			o.Home.Denied = true
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRules p
			leaves p
			deed Removed /w/p/home
`},
		{"leftover waits for a clock while the index is lost", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay, o.Tombstone, o.Home = healthyRelay(), tombstone(agent.Unregistered, homePath), homeOf(lookDirMissing(homePath))
			lost(o, 0)
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			remembers PathMissing, missing now, clock now, mount /dev/a, lost
			problems 1
			  EndpointLeaked /mail/relay.agent.p.Self
			event EndpointLeaked /mail/relay.agent.p.Self
			durable
			removeAt now+720h0m0s
			requeue 720h0m0s
			starts
`},
		{"nothing left is forgotten", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.State = missingFor(time.Hour, agent.DirMissing)
		}, `
			reason InSync
			remembers nothing
`},
		{"nothing left but a pause stays paused", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.State = &agent.State{ID: self, Paused: true}
		}, `
			reason InSync
`},
	}
}
