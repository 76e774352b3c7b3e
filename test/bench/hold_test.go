package main

import "testing"

func TestParseHolds(t *testing.T) {
	const trace = `# tracer: nop
 mesh-controller-71 [001] ..... 10.250000: posix_lock_inode: fl=00000000c dev=0xfe:0x0 ino=0x1 fl_pid=71 fl_flags=FL_POSIX|FL_OFDLCK fl_type=F_WRLCK fl_start=120 fl_end=120 ret=0
 mesh-controller-72 [000] ..... 10.750000: posix_lock_inode: fl=00000000c dev=0xfe:0x0 ino=0x1 fl_pid=71 fl_flags=FL_POSIX|FL_OFDLCK fl_type=F_UNLCK fl_start=120 fl_end=120 ret=0
 mesh-controller-72 [000] ..... 10.900000: posix_lock_inode: fl=00000000c dev=0xfe:0x0 ino=0x1 fl_pid=71 fl_flags=FL_POSIX|FL_OFDLCK fl_type=F_UNLCK fl_start=120 fl_end=120 ret=0
`
	if got := parseHolds(trace); len(got) != 1 || got[0] != 0.5 {
		t.Error(got)
	}
}
