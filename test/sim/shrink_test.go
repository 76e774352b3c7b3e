package sim

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// shrink takes steps out of a script, halves first and then one by one, and
// makes waits short, as long as the same invariant still does not hold.
func shrink(t *testing.T, s *script) (*script, error) {
	first := run(t, s, nil)
	if first.err == nil {
		return s, nil
	}
	tries := 0
	fails := func(c *script) bool {
		if tries++; tries > *shrinks {
			return false
		}
		r := run(t, c, nil)
		return r.err != nil && invariantOf(r.err) == invariantOf(first.err)
	}
	best := *s
	best.steps = slices.Clone(s.steps[:first.steps])
	for size := max(1, len(best.steps)/2); size > 0; size /= 2 {
		for at := 0; at < len(best.steps); {
			c := best
			c.steps = slices.Delete(slices.Clone(best.steps), at, min(at+size, len(best.steps)))
			if fails(&c) {
				best = c
			} else {
				at += size
			}
		}
	}
	for i := range best.steps {
		for _, wait := range []time.Duration{0, time.Second, time.Hour} {
			c := best
			c.steps = slices.Clone(best.steps)
			if c.steps[i].wait <= wait {
				break
			}
			if c.steps[i].wait = wait; fails(&c) {
				best = c
				break
			}
		}
	}
	return &best, run(t, &best, nil).err
}

func invariantOf(err error) string {
	name, _, _ := strings.Cut(err.Error(), ":")
	return name
}
