package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// world is a sandbox: a DorkOS home, a directory of projects, and settings that
// every command in it is given.
type world struct {
	t        *testing.T
	dir      string
	home     string
	projects string
	socket   string
	settings map[string]string // flag to value, as environment variables
	env      map[string]string // further variables
	prefix   []string          // of every command line
}

// newWorld makes one. Settings are pairs of flag and value. Sweeps happen at
// startup and on demand only, unless a setting says otherwise.
func newWorld(t *testing.T, settings ...string) *world {
	t.Helper()
	t.Parallel()
	dir, err := os.MkdirTemp("", "e2e") // short: a socket's address is
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	w := &world{t: t, dir: dir, env: map[string]string{}}
	w.must(err)
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	w.home, w.projects, w.socket = w.path("home"), w.path("projects"), w.path("run/control.sock")
	for _, d := range []string{w.home, w.projects, w.path("user"), w.path("config"), w.path("run"), w.path("tmp")} {
		w.must(os.Mkdir(d, 0o700))
	}
	w.settings = map[string]string{
		"dork-home": w.home, "scan-root": w.projects, "socket": w.socket,
		"listen-address": "127.0.0.1:0", "resync-interval": "0",
	}
	for pair := range slices.Chunk(settings, 2) {
		w.settings[pair[0]] = pair[1]
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// path is one below the sandbox.
func (w *world) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

// project is the directory of one.
func (w *world) project(name string) string {
	return filepath.Join(w.projects, filepath.FromSlash(name))
}

func (w *world) db() string { return filepath.Join(w.home, "mesh.db") }

func (w *world) rules() string { return filepath.Join(w.home, "relay", "access-rules.json") }

func (w *world) mailbox(subject string) string {
	return filepath.Join(w.home, "relay", "mailboxes", subject)
}

// environ is that of a command: nothing of the machine's but PATH. The zone is
// not UTC, so that a time printed in it shows.
func (w *world) environ() []string {
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": w.path("user"), "TMPDIR": w.path("tmp"), "TZ": "Asia/Kolkata",
		"XDG_CONFIG_HOME": w.path("config"), "XDG_RUNTIME_DIR": w.path("run"),
	}
	for flag, value := range w.settings {
		env[variable(flag)] = value
	}
	maps.Copy(env, w.env)
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	return list
}
