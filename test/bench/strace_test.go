package main

import "testing"

func TestParseCounts(t *testing.T) {
	const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000300           3       100        50 newfstatat
 40.00    0.000200          20        10           fdatasync
------ ----------- ----------- --------- --------- ----------------
100.00    0.000500           4       110        50 total
`
	got := parseCounts(table)
	if len(got) != 2 || got["newfstatat"] != 100 || got["fdatasync"] != 10 {
		t.Error(got)
	}
}
