package main

import "testing"

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want spread
	}{
		{[]float64{3}, spread{3, 3, 3}},
		{[]float64{9, 1, 2}, spread{2, 1, 9}},
		{[]float64{4, 1, 2, 9}, spread{3, 1, 9}},
	} {
		if got := spreadOf(c.in); got != c.want {
			t.Errorf("%v: %v, want %v", c.in, got, c.want)
		}
	}
}

// The ratio of medians would be 1 here.
func TestRatioIsTakenWithinARound(t *testing.T) {
	got := ratioOf([]float64{2, 4, 30}, []float64{1, 4, 10})
	if want := (spread{2, 1, 3}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestP99(t *testing.T) {
	values := make([]float64, 200)
	for i := range values {
		values[i] = float64(200 - i)
	}
	if got := p99(values); got != 198 {
		t.Error(got)
	}
	if got := p99([]float64{7}); got != 7 {
		t.Error(got)
	}
}
