//go:build !linux

package clock

import "time"

func bootID() string { return "" }

func sinceBoot() (booted, awake time.Duration, ok bool) { return 0, 0, false }
