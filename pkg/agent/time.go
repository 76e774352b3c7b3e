package agent

import "time"

// TimeFormat is how times are stored and printed: RFC 3339, UTC, milliseconds.
// The original compares these strings as strings.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// FormatTime writes t in TimeFormat; the zero time is "".
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeFormat)
}

// ParseTime reads what FormatTime wrote (any RFC 3339 time is understood); "" and
// anything malformed is the zero time.
func ParseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// Stamp is one reading of the clocks. Offset is wall time minus CLOCK_BOOTTIME:
// within one boot, growth of it is a step of the wall clock and not time that
// passed.
type Stamp struct {
	Wall   time.Time
	BootID string
	Offset time.Duration
}

// Elapsed is the time from s to now that really passed as far as can be told:
// a forward step of the wall clock within one boot does not count, a backward
// step is believed. It may be negative.
func (s Stamp) Elapsed(now Stamp) time.Duration {
	d := now.Wall.Sub(s.Wall)
	if s.BootID != "" && s.BootID == now.BootID {
		if step := now.Offset - s.Offset; step > 0 {
			d -= step
		}
	}
	return d
}
