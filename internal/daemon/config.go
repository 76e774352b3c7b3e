package daemon

import "time"

// Config holds the effective value of every setting, typed. Paths are clean and
// absolute, scan roots are real as well.
type Config struct {
	DorkHome string
	DB       string

	ScanRoots []string // the managed home is always among them
	ScanDepth int

	ResyncInterval time.Duration // 0: only at startup and on demand
	ResyncJitter   float64

	OrphanGrace      time.Duration
	Settle           time.Duration
	UnmountedGrace   time.Duration // 0: never
	MassMissingMin   int
	MassMissingRatio float64 // 0: off
	MassMissingHold  time.Duration

	ProbeTimeout time.Duration
	Workers      int

	Relay    string
	RelayDir string

	ListenAddress string // "": off
	WebConfigFile string // "": none
	EnablePprof   bool
	Socket        string

	LogLevel  string
	LogFormat string

	// ManagedHome is the real path of <dork-home>/agents.
	ManagedHome string
	// Home is the user's home directory, "" where there is none.
	Home string
	// SocketFallback is served and tried when another index's daemon holds the
	// default socket; "" when --socket was named or they are one.
	SocketFallback string
}
