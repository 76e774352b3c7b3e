package plan

import (
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// MassPolicy says when a disappearance is a mass disappearance.
type MassPolicy struct {
	Min    int           // at least so many agents
	Ratio  float64       // at least this part of the root's agents; 0 turns it off
	Window time.Duration // whose absences began so close together
	Hold   time.Duration // for so long
}

// MassWindow is how close together absences have to begin to count as one
// event: two resync intervals, at least ten seconds.
func MassWindow(resync time.Duration) time.Duration {
	return max(2*resync, 10*time.Second)
}

// Mass computes the hold on the removals of one scan root from the stored
// times alone, so that a restart changes nothing. Missing holds the beginning
// of each absence in the root, agents is how many the root has altogether, and
// absences that began up to released are let go. Nil: no hold.
func Mass(missing []time.Time, agents int, released, now time.Time, p MassPolicy) *Hold {
	if p.Ratio <= 0 {
		return nil
	}
	times := slices.DeleteFunc(slices.Clone(missing), func(t time.Time) bool { return !t.After(released) })
	slices.SortFunc(times, time.Time.Compare)
	need := max(p.Min, 1)
	var hold *Hold
	first := 0
	for last := range times {
		for times[last].Sub(times[first]) > p.Window {
			first++
		}
		n := last - first + 1
		if n < need || float64(n)/float64(agents) < p.Ratio {
			continue
		}
		hold = &Hold{Reason: agent.MassMissing, Since: times[first], Until: times[last].Add(p.Hold)}
	}
	if hold == nil || !hold.Until.After(now) {
		return nil
	}
	return hold
}
