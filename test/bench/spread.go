package main

import "slices"

// spread is the median of some rounds with the least and the greatest.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// spreadOf at least one value.
func spreadOf(values []float64) spread {
	s := slices.Sorted(slices.Values(values))
	mid := len(s) / 2
	median := s[mid]
	if len(s)%2 == 0 {
		median = (s[mid-1] + s[mid]) / 2
	}
	return spread{median, s[0], s[len(s)-1]}
}

// ratioOf what was measured by turns: each round's own ratio, then the spread
// of those. Rounds that ran in different weather are never mixed.
func ratioOf(ours, other []float64) spread {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i] / other[i]
	}
	return spreadOf(ratios)
}
