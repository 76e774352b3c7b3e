package plan_test

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// departureRules are about ends that are on record beside the row: an
// unregistration, and a removal that was interrupted.
func departureRules() []rule {
	return []rule{
		{"unregistered goes at once", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			o.Looks, o.AbsentFor, o.Complete = 1, 0, false
		}, `
			reason Unregistered /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			durable
			bury Unregistered /w/p/home
			deed Unregistered /w/p/home
			confirm
`},
		{"unregistered with its directory goes at once", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			gone(o)
		}, `
			reason Unregistered /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			durable
			bury Unregistered /w/p/home
			deed Unregistered /w/p/home
			confirm
`},
		{"unregistered where another agent lies goes at once", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			o.Home = homeOf(lookPresent(homePath, neighbour))
		}, `
			reason Unregistered /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			durable
			bury Unregistered /w/p/home
			deed Unregistered /w/p/home
			confirm
`},
		{"unregistered orphan does not wait for its grace or a mass hold", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			unregistered(o)
			o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-time.Hour), Until: now.Wall.Add(grace)}
		}, `
			reason Unregistered /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Unregistered /w/p/home
			deed Unregistered /w/p/home
			confirm
`},
		{"unregistration that did not come to the manifest is void", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			o.Home = homeOf(lookPresent(homePath, self))
		}, `
			reason InSync /w/p/home
			unbury
`},
		{"unregistration waits while the manifest is invalid", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			o.Home = homeOf(lookInvalid(homePath))
		}, `
			reason ManifestInvalid /w/p/home
			problems 1
			  ManifestInvalid /w/p/home
			event ManifestInvalid /w/p/home
`},
		{"unregistration waits while its place is in doubt", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			o.Home = homeOf(lookUnknown(homePath))
		}, `
			reason Unknown /w/p/home
			problems 1
			  Unknown /w/p/home
			event Unknown /w/p/home
			retry
`},
		{"unregistered with its volume missing is an ordinary orphan", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			with(o.Home, onStick)
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
		{"unregistered that lies elsewhere relocates", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			claims(o, claimAt(alphaPath))
		}, `
			reason Relocated /w/p/alpha
			do relocateRow
			  projectPath /w/p/home -> /w/p/alpha
			deed Relocated /w/p/alpha
`},
		{"unregistered with a worktree elsewhere is an ordinary orphan", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
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
		{"unregistered with a denied copy goes", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			claims(o, changed(claimAt(alphaPath), func(c *plan.Claim) { c.Denied = true }))
		}, `
			reason Unregistered /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			durable
			bury Unregistered /w/p/home
			deed Unregistered /w/p/home
			confirm
`},
		{"unregistered while the relay is down is unreachable and tried again", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			relayDown(o)
		}, `
			reason Unregistered /w/p/home
			do markUnreachable
			  status active -> unreachable
			deed Unregistered /w/p/home
			retry
`},
		{"unregistered and unreachable while the relay is down is only tried again", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			relayDown(o)
			o.Row.Status = agent.Unreachable
		}, `
			reason Unregistered /w/p/home
			retry
`},
		{"unregistered while the relay is degraded leaves its rules on record", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			o.Relay.Degraded = "access-rules.json does not parse"
		}, `
			reason Unregistered /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			leaves p
			durable
			bury Unregistered /w/p/home
			deed Unregistered /w/p/home
			confirm
`},
		{"unregistration of a lost index is not carried on", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			lost(o, 0)
		}, `
			reason ManifestMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			unbury
			remembers ManifestMissing, missing now, clock now, mount /dev/a
			event Conflict /w/p/home
			event ManifestMissing /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"unregistration of a lost index is void though its place is in doubt", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			lost(o, 0)
			o.Home = homeOf(lookUnknown(homePath))
		}, `
			reason Unknown /w/p/home
			unbury
			problems 1
			  Unknown /w/p/home
			event Conflict /w/p/home
			event Unknown /w/p/home
			retry
`},
		{"unregistration of a lost index is void though its volume is missing", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			lost(o, 0)
			with(o.Home, onStick)
		}, `
			reason VolumeMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			unbury
			remembers VolumeMissing, missing now, clock now, mount /dev/a
			event Conflict /w/p/home
			event VolumeMissing /w/p/home
			durable
			hold VolumeMissing now until now+720h0m0s
			held
			removeAt now+720h0m0s
			requeue 720h0m0s
			starts
`},
		{"unregistration of a lost index is not told of who is at home", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			lost(o, 0)
			o.Home = homeOf(lookPresent(homePath, self))
		}, `
			reason InSync /w/p/home
			unbury
`},
		{"leftover of an unregistration is retired", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			o.Row = nil
		}, `
			reason Unregistered /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRules p
			leaves p
			deed Unregistered /w/p/home
`},
		{"leftover of a displaced agent that was unregistered does not wait for its grace", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			o.Tombstone.Reason = agent.Unregistered
		}, `
			reason Unregistered /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRules p
			leaves p
			remembers nothing
			deed Unregistered /w/p/home
`},
		{"leftover of an agent that is at home in a denied place has no clock", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			o.Tombstone.Reason = agent.Denied
			o.State.Lost = true
			o.Home = homeOf(lookPresent(homePath, self))
			with(o.Home, denied)
		}, `
			reason Denied /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRules p
			leaves p
			remembers nothing
			deed Denied /w/p/home
`},
		{"leftover that was found on a lost index waits for its grace all the same", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			o.Tombstone.Reason = agent.Unregistered
			o.State.Lost = true
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			problems 1
			  EndpointLeaked /mail/relay.agent.p.Self
			event EndpointLeaked /mail/relay.agent.p.Self
			removeAt now+719h0m0s
			requeue 719h0m0s
`},
		{"leftover of an unregistration is not retired once a lost index is found", func(o *plan.Observation, p *plan.Policy) {
			displaced(o, time.Hour)
			o.Tombstone.Reason = agent.Unregistered
			lost(o, time.Hour)
			o.State = plan.Compute(*o, *p).Change.State
			o.IndexLost, o.LostSince = false, time.Time{}
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			problems 1
			  EndpointLeaked /mail/relay.agent.p.Self
			event EndpointLeaked /mail/relay.agent.p.Self
			removeAt now+719h0m0s
			requeue 719h0m0s
`},
		{"leftover without a recorded place waits for a listing that sees everything", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o)
			o.Relay = healthyRelay()
			o.Complete = false
		}, `
			reason IncompleteListing
			hold IncompleteListing now until never
			needSweep
`},
		{"displaced agent whose address is gone already leaves its namespace", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, grace)
			o.Relay.Endpoints = nil
		}, `
			reason Removed /w/p/home
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			deed Removed /w/p/home
			removeAt now
			confirm
`},
		{"clock of a leftover waits for a relay that is down", func(o *plan.Observation, p *plan.Policy) {
			newcomer(o)
			o.Relay = healthyRelay()
			done := plan.Compute(*o, *p)
			o.State, o.Problems = done.Change.State, done.Change.Problems
			relayDown(o)
		}, `
			reason EndpointLeaked /mail/relay.agent.p.Self
			retry
`},
		{"interrupted removal is carried out without a second event", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			interrupted(o, agent.Removed)
		}, `
			reason Removed /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			remembers nothing
			durable
			bury Removed /w/p/home
			removeAt now
			confirm
`},
		{"interrupted removal that has to settle again keeps its address away", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			interrupted(o, agent.Removed)
			o.Relay = plan.Relay{Enabled: true, Kept: true}
			o.Looks, o.AbsentFor = 1, 0
		}, `
			reason PathMissing /w/p/home
			hold Settling now until now+1m0s
			held
			removeAt now
			requeue 1m0s
`},
		{"interrupted removal whose clock is set anew is void", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			interrupted(o, agent.Removed)
			o.State.Evidence = agent.VolumeGone
			o.Relay = plan.Relay{Enabled: true, Kept: true}
		}, `
			reason PathMissing /w/p/home
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			do moveMail relay.agent.p.Self <-
			unbury
			remembers PathMissing, missing now-24h0m0s, clock now, mount /dev/a
			event PathMissing /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
`},
		{"interrupted removal of an agent that is back is void", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			interrupted(o, agent.Removed)
			o.Home = homeOf(lookPresent(homePath, self))
			o.Relay = plan.Relay{Enabled: true, Kept: true}
		}, `
			reason Resurrected /w/p/home
			do markActive
			  status unreachable -> active
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			do moveMail relay.agent.p.Self <-
			unbury
			remembers nothing
			deed Resurrected /w/p/home
`},
		{"removal before the absence is none that was interrupted", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			interrupted(o, agent.Removed)
			o.Tombstone.At = o.State.MissingSince.Add(-1)
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
		{"orphan has an address though it was removed before", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			interrupted(o, agent.Removed)
			o.Relay = plan.Relay{Enabled: true}
		}, `
			reason PathMissing /w/p/home
			do markUnreachable
			  status active -> unreachable
			do ensureRules p
			do ensureEndpoint relay.agent.p.Self
			remembers PathMissing, missing now, clock now, mount /dev/a
			event PathMissing /w/p/home
			durable
			removeAt now+24h0m0s
			requeue 24h0m0s
			starts
`},
		{"interrupted denial is carried out without a second event", func(o *plan.Observation, _ *plan.Policy) {
			with(o.Home, denied)
			interrupted(o, agent.Denied)
		}, `
			reason Denied /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			durable
			bury Denied /w/p/home
`},
		{"interrupted unregistration is carried out without a second event", func(o *plan.Observation, _ *plan.Policy) {
			unregistered(o)
			interrupted(o, agent.Unregistered)
		}, `
			reason Unregistered /w/p/home
			do removeEndpoint relay.agent.p.Self
			do removeRow
			do removeRules p
			leaves p
			durable
			bury Unregistered /w/p/home
			confirm
`},
		{"removal after a denial has an event of its own", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			interrupted(o, agent.Denied)
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
		{"due orphan with its volume missing shows no hold while the relay is down", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, unmounted+time.Hour)
			with(o.Home, onStick)
			o.State.Evidence = agent.VolumeGone
			relayDown(o)
		}, `
			reason VolumeMissing /w/p/home
			removeAt now
			retry
`},
		{"grace goes on while the relay is down", func(o *plan.Observation, _ *plan.Policy) {
			displaced(o, time.Hour)
			relayDown(o)
		}, `
			reason Displaced /w/p/home
			removeAt now+23h0m0s
			requeue 23h0m0s
`},
	}
}

// pauseRules: what an operator has switched off stays as it is.
func pauseRules() []rule {
	return []rule{
		{"paused and in sync", func(o *plan.Observation, _ *plan.Policy) {
			o.Paused = true
		}, `
			reason Paused /w/p/home
`},
		{"paused drift stays", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldName] = agent.TextCell("old")
			o.Relay = plan.Relay{Enabled: true}
			o.Paused = true
		}, `
			reason Paused /w/p/home
`},
		{"paused orphan has no clock", func(o *plan.Observation, _ *plan.Policy) {
			gone(o)
			o.Paused = true
		}, `
			reason Paused /w/p/home
`},
		{"paused orphan that is due stays", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			o.Paused = true
		}, `
			reason Paused /w/p/home
`},
		{"paused orphan remembers that its volume went", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, time.Hour)
			with(o.Home, onStick)
			o.Paused = true
		}, `
			reason Paused /w/p/home
			remembers VolumeMissing, missing now-1h0m0s, clock now-1h0m0s, mount /dev/a
`},
		{"paused orphan remembers that it was held", func(o *plan.Observation, _ *plan.Policy) {
			orphan(o, grace)
			massHold(o, time.Hour)
			o.Paused = true
		}, `
			reason Paused /w/p/home
			remembers PathMissing, missing now-24h0m0s, clock now-24h0m0s, mount /dev/a, held
`},
		{"paused newcomer is not imported", func(o *plan.Observation, _ *plan.Policy) {
			newcomer(o, claimAt(alphaPath))
			o.Paused = true
		}, `
			reason Paused /w/p/alpha
`},
		{"paused doubt is not tried again", func(o *plan.Observation, _ *plan.Policy) {
			o.Home = homeOf(lookUnknown(homePath))
			o.Paused = true
		}, `
			reason Paused /w/p/home
`},
		{"pause does not stop an order", func(o *plan.Observation, _ *plan.Policy) {
			o.Row.Fields[agent.FieldName] = agent.TextCell("old")
			o.Paused = true
			order(o, agent.Updated, homePath)
		}, `
			reason Updated /w/p/home
			do updateRow
			  name old -> name of Self
			deed Updated /w/p/home
`},
	}
}
