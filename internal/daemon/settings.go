package daemon

import (
	"path/filepath"
	"strings"
)

// EnvPrefix starts the name of every environment variable of ours.
const EnvPrefix = "MESH_CONTROLLER_"

// Setting is one thing that can be configured. Table is the only place that
// knows of it: flags, environment, file, `config view` and the check of
// docs/configuration.md are made from it.
type Setting struct {
	Name string
	// Default is the value's text; where it is computed, how.
	Default string
	Doc     string
	// Choices are the only values, where they are few.
	Choices []string
	// Reloads: SIGHUP applies a change; otherwise it takes a restart.
	Reloads bool

	bind   func(*Config) any           // pointer to the field; its type is the setting's kind
	derive func(*Config, *Input) error // computes the default from settings above this one
	check  func(*Config) error         // of the parsed value alone
	path   bool                        // made clean and absolute
	empty  bool                        // "" is a value, not an omission
}

// Env is the name of the setting's environment variable.
func (s Setting) Env() string { return envName(s.Name) }

// Flag is the setting's flag as it is written.
func (s Setting) Flag() string { return "--" + s.Name }

func envName(setting string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// Table lists every setting. The order is that of the documentation, and a
// computed default only reads settings above it.
func Table() []Setting {
	var table []Setting
	table = append(table, placeSettings()...)
	table = append(table, convergenceSettings()...)
	table = append(table, orphanSettings()...)
	table = append(table, relaySettings()...)
	return append(table, surfaceSettings()...)
}

func placeSettings() []Setting {
	return []Setting{
		{
			Name: "dork-home", Default: "$DORK_HOME, else ~/.dork", path: true,
			Doc:  "directory of the managed agents, the index and the relay",
			bind: func(c *Config) any { return &c.DorkHome },
			derive: func(c *Config, in *Input) error {
				home, err := in.home()
				c.DorkHome = filepath.Join(home, ".dork")
				return err
			},
		},
		{
			Name: "db", Default: "<dork-home>/dork.db if it exists and is DorkOS's, else <dork-home>/mesh.db", path: true,
			Doc:    "SQLite index of the agents",
			bind:   func(c *Config) any { return &c.DB },
			derive: func(c *Config, in *Input) error { c.DB = in.defaultDB(c.DorkHome); return nil },
		},
		{
			Name: "scan-root", Default: "<dork-home>/agents", path: true, Reloads: true,
			Doc:    "directory to look for agents in; <dork-home>/agents and recorded roots always are (repeatable)",
			bind:   func(c *Config) any { return &c.ScanRoots },
			derive: func(*Config, *Input) error { return nil },
		},
		{
			Name: "scan-depth", Default: "5", Reloads: true,
			Doc:  "how deep below a scan root new agents are found; the root is 0",
			bind: func(c *Config) any { return &c.ScanDepth }, check: atLeast(0, func(c *Config) int { return c.ScanDepth }),
		},
	}
}

func convergenceSettings() []Setting {
	return []Setting{
		{
			Name: "resync-interval", Default: "5m", Reloads: true,
			Doc:  "time between sweeps; 0 sweeps only at startup and on demand",
			bind: func(c *Config) any { return &c.ResyncInterval },
		},
		{
			Name: "resync-jitter", Default: "0.1", Reloads: true,
			Doc:  "share of the interval that is added at random, 0 to 1",
			bind: func(c *Config) any { return &c.ResyncJitter }, check: share(func(c *Config) float64 { return c.ResyncJitter }),
		},
		{
			Name: "probe-timeout", Default: "2s", Reloads: true,
			Doc:  "how long one look at a manifest may take before it counts as unknown",
			bind: func(c *Config) any { return &c.ProbeTimeout }, check: positive,
		},
		{
			Name: "workers", Default: "2",
			Doc:  "agents that are handled at once",
			bind: func(c *Config) any { return &c.Workers }, check: atLeast(1, func(c *Config) int { return c.Workers }),
		},
	}
}

func orphanSettings() []Setting {
	return []Setting{
		{
			Name: "orphan-grace", Default: "24h", Reloads: true,
			Doc:  "how long an agent whose manifest is gone is kept",
			bind: func(c *Config) any { return &c.OrphanGrace },
		},
		{
			Name: "settle", Default: "1m", Reloads: true,
			Doc:  "how long this process must have seen an absence before it removes",
			bind: func(c *Config) any { return &c.Settle },
		},
		{
			Name: "unmounted-grace", Default: "720h", Reloads: true,
			Doc:  "how long an agent on a volume that is gone is kept; 0 is for ever",
			bind: func(c *Config) any { return &c.UnmountedGrace },
		},
		{
			Name: "mass-missing-min", Default: "5", Reloads: true,
			Doc:  "agents of one root that must be missing together for a hold",
			bind: func(c *Config) any { return &c.MassMissingMin }, check: atLeast(1, func(c *Config) int { return c.MassMissingMin }),
		},
		{
			Name: "mass-missing-ratio", Default: "0.55", Reloads: true,
			Doc:  "share of one root's agents that must be missing together for a hold, 0 to 1; 0 turns it off",
			bind: func(c *Config) any { return &c.MassMissingRatio }, check: share(func(c *Config) float64 { return c.MassMissingRatio }),
		},
		{
			Name: "mass-missing-hold", Default: "3 x orphan-grace", Reloads: true,
			Doc:    "how long such a hold lasts by itself",
			bind:   func(c *Config) any { return &c.MassMissingHold },
			derive: func(c *Config, _ *Input) error { c.MassMissingHold = 3 * c.OrphanGrace; return nil },
		},
	}
}

func relaySettings() []Setting {
	return []Setting{
		{
			Name: "relay", Default: "maildir", Choices: []string{"maildir", "none"},
			Doc:  "message relay to keep in line: maildir or none",
			bind: func(c *Config) any { return &c.Relay }, check: relayIsBuilt,
		},
		{
			Name: "relay-dir", Default: "<dork-home>/relay", path: true,
			Doc:    "directory of the maildir relay",
			bind:   func(c *Config) any { return &c.RelayDir },
			derive: func(c *Config, _ *Input) error { c.RelayDir = filepath.Join(c.DorkHome, "relay"); return nil },
		},
	}
}

func surfaceSettings() []Setting {
	return []Setting{
		{
			Name: "listen-address", Default: "127.0.0.1:9648", empty: true,
			Doc:  `host:port of metrics, health and the read-only API; "" turns it off`,
			bind: func(c *Config) any { return &c.ListenAddress }, check: isAddress,
		},
		{
			Name: "web-config-file", Default: "none", path: true, empty: true,
			Doc:    "TLS and basic auth of the listener, in the format of the Prometheus exporter toolkit",
			bind:   func(c *Config) any { return &c.WebConfigFile },
			derive: func(*Config, *Input) error { return nil },
		},
		{
			Name: "enable-pprof", Default: "false", Reloads: true,
			Doc:  "serve /debug/pprof/ on the listener",
			bind: func(c *Config) any { return &c.EnablePprof },
		},
		{
			Name: "socket", Default: "$XDG_RUNTIME_DIR/mesh-controller.sock, else <dork-home>/mesh-controller.sock", path: true,
			Doc:    "unix socket on which the daemon takes orders from this user",
			bind:   func(c *Config) any { return &c.Socket },
			derive: deriveSocket,
		},
		{
			Name: "log-level", Default: "info", Choices: []string{"debug", "info", "warn", "error"}, Reloads: true,
			Doc:  "debug, info, warn or error",
			bind: func(c *Config) any { return &c.LogLevel },
		},
		{
			Name: "log-format", Default: "json", Choices: []string{"json", "console"},
			Doc:  "json or console",
			bind: func(c *Config) any { return &c.LogFormat },
		},
	}
}

// deriveSocket prefers the user's runtime directory, which outlives no session.
func deriveSocket(c *Config, in *Input) error {
	own := filepath.Join(c.DorkHome, "mesh-controller.sock")
	c.Socket = own
	if dir, ok := in.LookupEnv("XDG_RUNTIME_DIR"); ok && filepath.IsAbs(dir) {
		c.Socket = filepath.Join(dir, "mesh-controller.sock")
	}
	if c.Socket != own {
		c.SocketFallback = own
	}
	return nil
}
