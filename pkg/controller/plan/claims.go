package plan

import (
	"strconv"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// eligible splits the claims: those that may become the id's home, one for each
// directory, and the first of which it could not be told.
//
// A linked git worktree inherits only when the recorded directory itself is
// gone: a branch without the file must not cost the main checkout its identity.
// Only an operator who adopts it may take it from there. One that is the recorded
// directory inherits nothing: it is at home.
func (pl *planner) eligible() (candidates []Claim, doubt *agent.Look) {
	seen := map[agent.FileID]int{}
	for i := range pl.o.Claims {
		c := &pl.o.Claims[i]
		if c.Denied {
			continue
		}
		if c.Look.Class == agent.Unknown && doubt == nil {
			doubt = &c.Look
		}
		if !pl.carries(c) || c.Place.Problem != nil || c.Look.Worktree && pl.homeStands() && !pl.recorded(c) && !pl.adopted(c) {
			continue
		}
		if !c.Look.Dir.IsZero() {
			if at, known := seen[c.Look.Dir]; known {
				if pl.spelledBefore(c, &candidates[at]) {
					candidates[at] = *c
				}
				continue
			}
			seen[c.Look.Dir] = len(candidates)
		}
		candidates = append(candidates, *c)
	}
	return candidates, doubt
}

// carries reports whether the claim holds up in a fresh look.
func (pl *planner) carries(c *Claim) bool {
	return c.Look.Class == agent.Present && c.Look.Manifest.ID == pl.o.ID
}

// homeStands reports whether the recorded directory is there, with whatever in
// it. It does not bind an id that was removed long ago.
func (pl *planner) homeStands() bool {
	if pl.o.Home == nil || pl.o.Row == nil && !pl.o.displaced() {
		return false
	}
	return pl.o.Home.Look.Class != agent.DirMissing
}

// ordered reports whether an operator named the claim's place.
func (pl *planner) ordered(c *Claim) bool {
	return pl.o.Order.Path != "" && c.Look.Path == pl.o.Order.Path
}

// adopted reports whether an operator made the claim's place the home.
func (pl *planner) adopted(c *Claim) bool {
	return pl.o.Order.Reason == agent.Relocated && pl.ordered(c)
}

// choose picks the new home among candidates: the one that an operator named,
// else the recorded directory itself (it is the moved one), else one that was
// not refused before, else the recorded path of a tombstone, else a main
// checkout over a linked one, else lexical order. The same on every run.
func (pl *planner) choose(candidates []Claim) Claim {
	best := 0
	for i := 1; i < len(candidates); i++ {
		if pl.before(&candidates[i], &candidates[best]) {
			best = i
		}
	}
	return candidates[best]
}

// spelledBefore reports whether, of two names of one directory, a is to be used
// and not b: the one that an operator named, else the recorded spelling, else
// the first in lexical order.
func (pl *planner) spelledBefore(a, b *Claim) bool {
	if oa, ob := pl.ordered(a), pl.ordered(b); oa != ob {
		return oa
	}
	if ra, rb := pl.recorded(a), pl.recorded(b); ra != rb {
		return ra
	}
	return a.Look.Path < b.Look.Path
}

// recorded reports whether the claim is at the recorded path of a tombstone.
func (pl *planner) recorded(c *Claim) bool {
	return pl.o.Row == nil && c.Look.Path == pl.o.path()
}

// before reports whether a is to be preferred to b.
func (pl *planner) before(a, b *Claim) bool {
	if ra, rb := pl.rank(a), pl.rank(b); ra != rb {
		return ra < rb
	}
	return a.Look.Path < b.Look.Path
}

// rank orders candidates, smaller first.
func (pl *planner) rank(c *Claim) int {
	rank := 0
	if !pl.ordered(c) {
		rank |= 16
	}
	if pl.o.Home == nil || pl.o.Home.Dir.IsZero() || pl.o.Home.Dir != c.Look.Dir {
		rank |= 8
	}
	if c.RefusedBefore {
		rank |= 4
	}
	if !pl.recorded(c) {
		rank |= 2
	}
	if c.Look.Worktree {
		rank |= 1
	}
	return rank
}

// refuse lists the places that carry the id without being its home. Nothing
// else is done to them. A place that is the home's own directory under another
// name is no copy.
func (pl *planner) refuse(claims []Claim, home string, dir agent.FileID) {
	for i := range claims {
		c := &claims[i]
		if c.Denied || !pl.carries(c) || !dir.IsZero() && c.Look.Dir == dir {
			continue
		}
		if c.Place.Problem != nil {
			pl.problem(agent.ManifestInvalid, c.Look.Path, c.Place.Problem.Error())
			continue
		}
		pl.problem(agent.DuplicateID, c.Look.Path, refusal(c, home))
	}
}

func refusal(c *Claim, home string) string {
	var b strings.Builder
	if c.Look.Worktree {
		b.WriteString("a linked git worktree with the id of the agent")
	} else {
		b.WriteString("a copy with the id of the agent")
	}
	if home != "" {
		b.WriteString(" at " + home)
	} else {
		b.WriteString(", whose home could not be settled")
	}
	b.WriteString("; it is not registered. mesh-controller reissue " + c.Look.Path +
		" gives it an id of its own, mesh-controller adopt " + c.Look.Path + " makes it the home")
	return b.String()
}

// refuseTwin refuses an id that differs from one at home only in letter case.
func (pl *planner) refuseTwin(candidates []Claim) {
	pl.plan.Reason = agent.DuplicateID
	pl.plan.Path = candidates[0].Look.Path
	pl.plan.Message = "the id differs only in letter case from " + string(pl.o.Twin) + "; that one is registered, or still has its address; give it another one"
	for i := range candidates {
		pl.problem(agent.DuplicateID, candidates[i].Look.Path, pl.plan.Message)
	}
}

func allComplete(claims []Claim) bool {
	for i := range claims {
		if !claims[i].Complete {
			return false
		}
	}
	return true
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return strconv.Itoa(n) + " " + many
}
