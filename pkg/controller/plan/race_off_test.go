//go:build !race

package plan_test

// raceEnabled thins the enumeration out: the detector makes it ten times slower.
const raceEnabled = false
