package sources

import (
	"strconv"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// mountLine is one line of /proc/self/mountinfo.
type mountLine struct {
	id    uint64
	mount agent.Mount // without FSID
}

// parseMountinfo reads what it understands and leaves the rest out. The order
// is the kernel's: of two mounts at one point the later covers the earlier.
//
//	36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/sda1 rw
func parseMountinfo(text string) []mountLine {
	lines := make([]mountLine, 0, strings.Count(text, "\n"))
	for line := range strings.Lines(text) {
		left, right, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 5 || len(r) < 1 {
			continue
		}
		id, err := strconv.ParseUint(l[0], 10, 64)
		if err != nil {
			continue
		}
		m := agent.Mount{Root: unescape(l[3]), Point: unescape(l[4]), Type: unescape(r[0])}
		if len(r) > 1 {
			m.Source = unescape(r[1])
		}
		lines = append(lines, mountLine{id, m})
	}
	return lines
}

// unescape turns the kernel's \040 (space), \011, \012 and \134 back.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
