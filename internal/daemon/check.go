package daemon

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

// A check looks at one parsed value. Its error completes "X is not allowed: ".

func atLeast(least int, get func(*Config) int) func(*Config) error {
	return func(c *Config) error {
		if get(c) < least {
			return fmt.Errorf("must be at least %d", least)
		}
		return nil
	}
}

func share(get func(*Config) float64) func(*Config) error {
	return func(c *Config) error {
		if v := get(c); !(v >= 0 && v <= 1) { // also refuses NaN
			return errors.New("must be between 0 and 1")
		}
		return nil
	}
}

func positive(c *Config) error {
	if c.ProbeTimeout <= 0 {
		return errors.New("must be more than 0")
	}
	return nil
}

func relayIsBuilt(c *Config) error {
	if c.Relay == "nats" {
		return errors.New("nats is not available in this build: use maildir or none")
	}
	return nil
}

func isAddress(c *Config) error {
	if c.ListenAddress == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(c.ListenAddress)
	if err != nil {
		return errors.New("must be host:port, as in 127.0.0.1:9648")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return errors.New("must end in a port between 0 and 65535")
	}
	return nil
}

// shortGrace is warned about: a checkout or a slow restore takes longer.
const shortGrace = time.Minute

// warnings are about values that are allowed and probably not meant.
func (c *Config) warnings() []string {
	var w []string
	if c.OrphanGrace < shortGrace {
		w = append(w, fmt.Sprintf("orphan-grace is %s: an agent whose file is away for that long is removed; 24h is usual", FormatDuration(c.OrphanGrace)))
	}
	if c.UnmountedGrace > 0 && c.UnmountedGrace < shortGrace {
		w = append(w, fmt.Sprintf("unmounted-grace is %s: an agent whose drive is unplugged for that long is removed; 720h is usual, 0 is never", FormatDuration(c.UnmountedGrace)))
	}
	return w
}

// CheckWebConfig reads the listener's TLS and basic auth file, if there is one.
func (c *Config) CheckWebConfig() error {
	err := web.Validate(c.WebConfigFile)
	if err == nil {
		return nil
	}
	return &SettingsError{[]SettingProblem{{
		Setting: "web-config-file", Source: "web-config-file " + c.WebConfigFile, Message: err.Error(),
		Hint: "mend the file (its format is that of the Prometheus exporter toolkit), or leave the setting out",
	}}}
}
