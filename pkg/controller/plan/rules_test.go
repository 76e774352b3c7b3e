package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// rule is one sentence of the design: what is seen beside a steady agent, and
// everything that is to be done about it.
type rule struct {
	name string
	see  func(o *plan.Observation, p *plan.Policy)
	want string
}

// TestRules has one row per rule.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, rules := range [][]rule{identityRules(), orphanRules(), removalRules(), relayRules(), orderRules(), departureRules(), contestedRules(), heldRules(), lostRules(), pauseRules()} {
		for _, r := range rules {
			if seen[r.name] {
				t.Errorf("two rules are called %q", r.name)
			}
			seen[r.name] = true
			t.Run(r.name, func(t *testing.T) {
				o, p := steady(), daemon
				r.see(&o, &p)
				got := digest(plan.Compute(o, p))
				if diff := cmp.Diff(unindent(r.want), got); diff != "" {
					t.Errorf("plan (-want +got):\n%s\ngot:\n%s", diff, got)
				}
			})
		}
	}
}

// unindent removes the indentation that a raw string has in the source.
func unindent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimPrefix(s, "\n")) {
		if line = strings.TrimPrefix(line, "\t\t\t"); strings.TrimSpace(line) != "" {
			b.WriteString(line)
		}
	}
	return b.String()
}

// gone is an agent whose directory is gone.
func gone(o *plan.Observation) { o.Home = homeOf(lookDirMissing(homePath)) }

// orphan is an unreachable agent, missing for so long.
func orphan(o *plan.Observation, d time.Duration) {
	gone(o)
	o.Row.Status = agent.Unreachable
	o.State = missingFor(d, agent.DirMissing)
}

// newcomer has no row.
func newcomer(o *plan.Observation, claims ...plan.Claim) {
	o.Row, o.Home, o.Relay = nil, nil, plan.Relay{Enabled: true}
	o.Claims = claims
}

// displaced lost its row to a neighbour, who lies in its place.
func displaced(o *plan.Observation, d time.Duration) {
	o.Row, o.Tombstone = nil, tombstone(agent.Displaced, homePath)
	o.Home = homeOf(lookPresent(homePath, neighbour))
	o.State = missingFor(d, agent.OtherAgent)
}

// lost is an index whose loss was found out so long ago.
func lost(o *plan.Observation, ago time.Duration) {
	o.IndexLost, o.LostSince = true, now.Wall.Add(-ago)
}

// massHold holds the orphans of the root from so long ago for another grace.
func massHold(o *plan.Observation, ago time.Duration) {
	o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-ago), Until: now.Wall.Add(grace)}
}

// order is an operator's intent about a place.
func order(o *plan.Observation, r agent.Reason, path string) {
	o.Order = plan.Order{Reason: r, Path: path}
}

// unregistered is an agent whose end was recorded before its manifest went.
func unregistered(o *plan.Observation) {
	o.Home = homeOf(lookFileMissing(homePath))
	o.Tombstone = tombstone(agent.Unregistered, homePath)
}

// interrupted is a removal that was recorded an hour ago and did not come to
// the row.
func interrupted(o *plan.Observation, r agent.Reason) {
	o.Tombstone = tombstone(r, homePath)
	o.Tombstone.Evidence = "{}"
}

// relayDown does not answer: nothing is known of its addresses.
func relayDown(o *plan.Observation) {
	o.Relay = plan.Relay{Enabled: true, Down: "connection refused"}
}

func claims(o *plan.Observation, c ...plan.Claim) { o.Claims = c }

func changed(c plan.Claim, change func(*plan.Claim)) plan.Claim {
	change(&c)
	return c
}

func worktree(c *plan.Claim)   { c.Look.Worktree = true }
func refused(c *plan.Claim)    { c.RefusedBefore = true }
func incomplete(c *plan.Claim) { c.Complete = false }
func sameDir(c *plan.Claim)    { c.Look.Dir = dirOf(homePath) }
