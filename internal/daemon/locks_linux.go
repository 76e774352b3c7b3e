package daemon

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// fileLock is a lock as /proc/locks shows it.
type fileLock struct {
	kind string // FLOCK, POSIX or OFDLCK
	pid  int    // of the holder; below 1 where the system does not say
	from int64  // first byte
}

// writeLocks lists who holds a file for writing. It takes no lock itself, so it
// gets in nobody's way. known is false where the system does not tell.
func writeLocks(path string) (locks []fileLock, known bool) {
	text, err := os.ReadFile("/proc/locks")
	if err != nil {
		return nil, false
	}
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return nil, true
	}
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	for line := range strings.Lines(string(text)) {
		// 1: POSIX  ADVISORY  WRITE 13748 fe:00:9978888 120 120
		f := strings.Fields(line)
		if len(f) < 8 || f[3] != "WRITE" || f[5] != file {
			continue // a request that waits has "->" in front, and holds nothing
		}
		pid, _ := strconv.Atoi(f[4])
		from, _ := strconv.ParseInt(f[6], 10, 64)
		locks = append(locks, fileLock{f[1], pid, from})
	}
	return locks, true
}
