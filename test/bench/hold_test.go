package main

import (
	"slices"
	"testing"
	"time"
)

func TestHoldsAreFromFirstSeenToFirstGone(t *testing.T) {
	var l lockWatch
	at := time.Unix(0, 0)
	for _, held := range []bool{false, true, true, false, false, true, false} {
		l.saw(held, at)
		at = at.Add(time.Second)
	}
	if want := []float64{2, 1}; !slices.Equal(l.holds, want) {
		t.Error(l.holds, want)
	}
}
