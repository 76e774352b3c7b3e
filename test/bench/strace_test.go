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

func TestParseHolds(t *testing.T) {
	const trace = `11 10.000 fcntl(7, F_OFD_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=120, l_len=1, l_pid=0}) = -1 EAGAIN (Resource temporarily unavailable)
11 10.250 fcntl(7, F_OFD_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=120, l_len=1, l_pid=0}) = 0
12 10.300 fcntl(7, F_OFD_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=123, l_len=1, l_pid=0}) = 0
12 10.750 fcntl(7, F_OFD_SETLK, {l_type=F_UNLCK, l_whence=SEEK_SET, l_start=120, l_len=1, l_pid=0}) = 0
12 10.900 fcntl(7, F_OFD_SETLK, {l_type=F_UNLCK, l_whence=SEEK_SET, l_start=120, l_len=1, l_pid=0}) = 0
`
	if got := parseHolds(trace); len(got) != 1 || got[0] != 0.5 {
		t.Error(got)
	}
}
