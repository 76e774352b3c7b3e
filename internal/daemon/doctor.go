package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay/maildir"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

// Finding is what one check of the doctor found.
type Finding struct {
	Name   string `json:"name"`
	Status Health `json:"status"`
	// Message says what is so.
	Message string `json:"message"`
	// Fix says what to do about it; null where all is well.
	Fix *string `json:"fix"`
}

// Health of what was checked.
type Health string

// The healths. A hint is worth knowing and nothing is wrong.
const (
	Healthy Health = "ok"
	Hint    Health = "hint"
	Problem Health = "problem"
)

// CheckDatabase is the check whose problems have an exit code of their own: the
// index cannot be used.
const CheckDatabase = "database"

// examination collects findings.
type examination struct {
	s        *Settings
	build    Build
	now      time.Time
	daemon   *Client // nil: none runs
	findings []Finding
}

// Examine looks at everything that a controller stands on. It changes nothing
// and needs no daemon.
func Examine(ctx context.Context, s *Settings, b Build, now time.Time) []Finding {
	e := &examination{s: s, build: b, now: now, daemon: FindDaemon(ctx, s)}
	if e.daemon != nil {
		defer e.daemon.Close()
	}
	e.configuration()
	e.home()
	e.roots()
	e.database(ctx)
	e.databaseFiles()
	e.writers(ctx)
	e.relay(ctx)
	e.credentials()
	e.dorkOS()
	e.lockAndDaemon()
	e.socketDirectory()
	e.socket(ctx)
	e.listener()
	e.clock()
	return e.findings
}

func (e *examination) add(name string, h Health, fix, format string, args ...any) {
	f := Finding{Name: name, Status: h, Message: fmt.Sprintf(format, args...)}
	if fix != "" {
		f.Fix = &fix
	}
	e.findings = append(e.findings, f)
}

func (e *examination) ok(name, format string, args ...any) {
	e.add(name, Healthy, "", format, args...)
}

func (e *examination) configuration() {
	if e.s.File == "" {
		e.ok("config", "the settings are valid; there is no configuration file")
	} else {
		e.ok("config", "the settings are valid; read %s", e.s.File)
	}
	for _, w := range e.s.Warnings {
		e.add("config", Hint, "raise it, unless this is a test", "%s", w)
	}
	if err := e.s.CheckWebConfig(); err != nil {
		e.add("config", Problem, "mend the file, or leave web-config-file out", "%v", err)
	}
}

func (e *examination) relay(ctx context.Context) {
	if e.s.Relay == "none" {
		e.ok("relay", "off (relay is none)")
		return
	}
	_, err := os.Stat(e.s.RelayDir)
	if errors.Is(err, fs.ErrNotExist) {
		e.add("relay", Hint, "it is made with the first endpoint", "%s is not there yet", e.s.RelayDir)
		return
	}
	if err != nil {
		e.add("relay", Problem, "make it readable for this user, or name another with --relay-dir", "%v", err)
		return
	}
	backend, err := newRelay(&e.s.Config, reading, func() time.Time { return e.now })
	if err == nil {
		err = bounded(ctx, checkWithin, func(ctx context.Context) error { return relayReadable(ctx, backend) })
	}
	if err != nil {
		fix := "make it a directory that this user can read; agents converge in the index meanwhile"
		if errors.Is(err, agent.ErrDegraded) {
			fix = "mend the file (it is never overwritten while it cannot be read); agents converge in the index meanwhile"
		}
		e.add("relay", Problem, fix, "%v", err)
	}
	if e.ours("relay", "--relay-dir", e.s.RelayDir, rulesPath(e.s.RelayDir)) && err == nil {
		e.ok("relay", "%s", e.s.RelayDir)
	}
	e.keptMail()
}

// keptMail counts mail that was set aside when its agent left, and is older than
// anything that brings an agent back: to throw it away is for people to decide.
func (e *examination) keptMail() {
	entries, err := os.ReadDir(maildir.KeptDir(e.s.RelayDir))
	if err != nil {
		return // not there, or said elsewhere
	}
	old := 0
	for _, entry := range entries {
		if at, ok := maildir.KeptSince(entry.Name()); ok && e.now.Sub(at) > store.Retention {
			old++
		}
	}
	if old > 0 {
		e.add("relay", Hint, "read it, or remove the directories of those that you do not miss",
			"%s: undelivered mail of agents that left more than 30 days ago is kept in mailboxes: %d", maildir.KeptDir(e.s.RelayDir), old)
	}
}

func (e *examination) listener() {
	address := e.s.ListenAddress
	switch {
	case address == "":
		e.ok("listen-address", "off")
		return
	case e.daemon != nil:
		e.ok("listen-address", "%s", orText(e.daemon.Status.ListenAddress, "off"))
		return
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		e.add("listen-address", Problem, "stop the program that has it, or choose another with --listen-address", "%v", err)
		return
	}
	_ = l.Close() // it was only a question
	e.ok("listen-address", "%s is free", address)
}

func orText(s *string, otherwise string) string {
	if s == nil {
		return otherwise
	}
	return *s
}
