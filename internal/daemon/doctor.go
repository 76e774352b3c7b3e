package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

// Finding is what one check of the doctor found.
type Finding struct {
	Check  string `json:"check"`
	Status Health `json:"status"`
	// Message says what is so.
	Message string `json:"message"`
	// Todo says what to do about it; null where nothing is to do.
	Todo *string `json:"todo"`
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
	e.relay(ctx)
	e.dorkOS()
	e.lockAndDaemon()
	e.socket(ctx)
	e.listener()
	e.clock()
	return e.findings
}

func (e *examination) add(check string, h Health, todo, format string, args ...any) {
	f := Finding{Check: check, Status: h, Message: fmt.Sprintf(format, args...)}
	if todo != "" {
		f.Todo = &todo
	}
	e.findings = append(e.findings, f)
}

func (e *examination) ok(check, format string, args ...any) {
	e.add(check, Healthy, "", format, args...)
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

func (e *examination) home() {
	dir := e.s.DorkHome
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.add("dork-home", Hint, "`mesh-controller sync` makes it", "%s is not there yet", dir)
	case err != nil:
		e.add("dork-home", Problem, "make it readable, or name another with --dork-home", "%v", err)
	case !info.IsDir():
		e.add("dork-home", Problem, "move it away, or name another with --dork-home", "%s is not a directory", dir)
	default:
		e.owned("dork-home", dir, info)
	}
}

// owned checks that nobody else can write what is ours.
func (e *examination) owned(check, path string, info fs.FileInfo) {
	uid, known := owner(info)
	switch {
	case known && uid != os.Geteuid():
		e.add(check, Problem, fmt.Sprintf("run as user %d, or change the owner: chown %d %s", uid, os.Geteuid(), path),
			"%s belongs to user %d and this is user %d", path, uid, os.Geteuid())
	case info.Mode().Perm()&0o022 != 0:
		e.add(check, Problem, "chmod go-w "+path, "%s can be written by other users (mode %04o)", path, info.Mode().Perm())
	default:
		e.ok(check, "%s", path)
	}
}

func (e *examination) roots() {
	for i, root := range e.s.ScanRoots {
		if e.rootIsThere(root) {
			e.rootIsPlain(root, e.s.ScanRoots[i+1:])
		}
	}
}

func (e *examination) rootIsThere(root string) bool {
	dir, err := os.Open(root)
	if errors.Is(err, fs.ErrNotExist) && root == e.s.ManagedHome {
		e.ok("scan-root", "%s is not there yet: there are no managed agents", root)
		return false
	}
	if errors.Is(err, fs.ErrNotExist) {
		e.add("scan-root", Hint, "mount it, make it, or take it out of scan-root", "%s is not there", root)
		return false
	}
	if err != nil {
		e.add("scan-root", Problem, "make it readable for this user", "%v", err)
		return false
	}
	defer dir.Close()
	if _, err := dir.ReadDir(1); err != nil && !errors.Is(err, io.EOF) {
		e.add("scan-root", Problem, "name a directory that this user can list", "%v", err)
		return false
	}
	return true
}

func (e *examination) rootIsPlain(root string, others []string) {
	plain := true
	if root == e.s.Home || root == "/" {
		plain = false
		e.add("scan-root", Hint, "name the directory of the projects instead: a sweep of all this is slow and finds copies",
			"%s is a whole home or file system", root)
	}
	for _, other := range others {
		if agent.Within(other, root) || agent.Within(root, other) {
			plain = false
			e.add("scan-root", Hint, "keep both only if agents below the inner one should take their namespace from it",
				"%s and %s contain one another", root, other)
		}
	}
	if plain {
		e.ok("scan-root", "%s", root)
	}
}

func (e *examination) database(ctx context.Context) {
	db := e.s.DB
	info, err := os.Stat(db)
	if errors.Is(err, fs.ErrNotExist) {
		e.add(CheckDatabase, Hint, "`mesh-controller sync` makes it", "%s is not there yet", db)
		return
	}
	if err != nil {
		e.add(CheckDatabase, Problem, "make it readable for this user", "%v", err)
		return
	}
	index, err := store.Open(ctx, store.Options{Path: db, ReadOnly: true, QuickCheck: true})
	var unusable *store.UnusableError
	switch {
	case errors.As(err, &unusable):
		e.add(CheckDatabase, Problem, unusable.Todo, "%v", err)
		return
	case err != nil:
		e.add(CheckDatabase, Problem, "make the file and its directory readable, or name another with --db", "%v", err)
		return
	}
	defer index.Close()
	for _, notice := range index.Notices() {
		e.add(CheckDatabase, Hint, "name the one that is meant with --db", "%s", notice)
	}
	e.ok(CheckDatabase, "can be used")
	e.owned("database-file", db, info)
}

func (e *examination) relay(ctx context.Context) {
	if e.s.Relay == "none" {
		e.ok("relay", "off (relay is none)")
		return
	}
	info, err := os.Stat(e.s.RelayDir)
	if errors.Is(err, fs.ErrNotExist) {
		e.add("relay", Hint, "it is made with the first endpoint", "%s is not there yet", e.s.RelayDir)
		return
	}
	if err != nil {
		e.add("relay", Problem, "make it readable for this user, or name another with --relay-dir", "%v", err)
		return
	}
	backend, err := newRelay(&e.s.Config, func() time.Time { return e.now })
	if err == nil {
		err = bounded(ctx, checkWithin, func(ctx context.Context) error { return relayReadable(ctx, backend) })
	}
	if err != nil {
		e.add("relay", Problem, "mend the file (it is never overwritten while it cannot be read); agents converge in the index meanwhile", "%v", err)
		return
	}
	e.owned("relay", e.s.RelayDir, info)
}

func (e *examination) clock() {
	// No release of this program is older.
	if first := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC); e.now.Before(first) {
		e.add("clock", Problem, "set the clock: graces are counted by it", "it is said to be %s", agent.FormatTime(e.now))
		return
	}
	for _, path := range []string{e.s.DB, e.s.RelayDir} {
		if info, err := os.Stat(path); err == nil && info.ModTime().After(e.now.Add(time.Hour)) {
			e.add("clock", Hint, "check the clock: graces are counted by it", "%s was changed in the future (%s)", path, agent.FormatTime(info.ModTime()))
			return
		}
	}
	e.ok("clock", "%s", agent.FormatTime(e.now))
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

// dorkOS says whether a DorkOS announces itself: while it runs, nothing is
// taken out of its relay.
func (e *examination) dorkOS() {
	if _, err := os.Stat(filepath.Join(e.s.DorkHome, "instance.lock")); err == nil {
		e.ok("dorkos", "announces itself in %s; while it runs, mailboxes are added but not moved or removed", e.s.DorkHome)
	}
}
