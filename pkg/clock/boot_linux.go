package clock

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // without /proc: not told
	return strings.TrimSpace(string(id))
}

// sinceBoot is the time since boot, with sleep and without.
func sinceBoot() (booted, awake time.Duration, ok bool) {
	var b, a unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &b) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &a) != nil {
		return 0, 0, false
	}
	return time.Duration(b.Nano()), time.Duration(a.Nano()), true
}
