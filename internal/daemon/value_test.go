package daemon

import (
	"testing"
	"time"
)

func TestFormatDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "5m": 5 * time.Minute, "24h": 24 * time.Hour, "720h": 720 * time.Hour, "1h30m": 90 * time.Minute,
		"1m30s": 90 * time.Second, "1h0m1s": time.Hour + time.Second, "10m": 10 * time.Minute, "20h": 20 * time.Hour, "150ms": 150 * time.Millisecond,
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%d) = %s, want %s", d, got, want)
		}
		if back, err := time.ParseDuration(want); err != nil || back != d {
			t.Errorf("%s reads as %s, %v", want, back, err)
		}
	}
}

func TestNearest(t *testing.T) {
	var names []string
	for _, s := range Table() {
		names = append(names, s.Name)
	}
	for word, want := range map[string]string{
		"scan_root": "scan-root", "scanroots": "scan-root", "orphangrace": "orphan-grace", "loglevel": "log-level",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%s) = %s, want %s", word, got, want)
		}
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("Nearest of nothing = %q", got)
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		orphan, unmounted time.Duration
		want              int
	}{
		{24 * time.Hour, 720 * time.Hour, 0},
		{time.Minute, 0, 0}, // 0: never
		{59 * time.Second, 0, 1},
		{0, time.Second, 2},
	} {
		c := Config{OrphanGrace: tt.orphan, UnmountedGrace: tt.unmounted}
		if got := c.warnings(); len(got) != tt.want {
			t.Errorf("%s and %s: %q, want %d", tt.orphan, tt.unmounted, got, tt.want)
		}
	}
}
