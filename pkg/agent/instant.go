package agent

import (
	"strings"
	"time"
)

// validInstant reports whether s is an RFC 3339 time in UTC, written with a
// capital T and Z and a day that the calendar has. Seconds may be left out, and
// a fraction may have any number of digits; there are no leap seconds.
func validInstant(s string) bool {
	s, utc := strings.CutSuffix(s, "Z")
	if !utc {
		return false
	}
	date, clock, ok := strings.Cut(s, "T")
	return ok && validDate(date) && validClock(clock)
}

func validDate(s string) bool {
	if !fits(s, "0000-00-00") {
		return false
	}
	year, month, day := digits(s[:4]), digits(s[5:7]), digits(s[8:])
	d := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	// A day that the month does not have comes out in another month.
	return d.Month() == time.Month(month)
}

func validClock(s string) bool {
	seconds := "00"
	if len(s) > len("00:00") {
		whole, fraction, has := strings.Cut(s, ".")
		if has && (fraction == "" || !fits(fraction, strings.Repeat("0", len(fraction)))) {
			return false
		}
		if !fits(whole, "00:00:00") {
			return false
		}
		s, seconds = whole[:5], whole[6:]
	}
	return fits(s, "00:00") && digits(s[:2]) < 24 && digits(s[3:]) < 60 && digits(seconds) < 60
}

// fits reports whether s looks like shape, in which 0 stands for any digit.
func fits(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		if shape[i] == '0' {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		} else if s[i] != shape[i] {
			return false
		}
	}
	return true
}

func digits(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}
