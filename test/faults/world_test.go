//go:build faults && linux

package faults

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sqlite "github.com/ncruces/go-sqlite3/driver"

	"github.com/mesh-registry/mesh-controller/test/process"
)

// patience is how long anything may take on a loaded machine.
const patience = 30 * time.Second

// world is a home and projects, and the settings of every command in it.
type world struct {
	t              *testing.T
	dir            string
	home, projects string
	settings       map[string]string // flag to value
	prefix         []string          // of the daemon's command line
}

// newWorld makes one. Settings are pairs of flag and value. The test runs beside
// others from here on: most of them wait most of the time.
func newWorld(t *testing.T, settings ...string) *world {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can let the machine fail")
	}
	t.Parallel()
	dir, err := os.MkdirTemp("", "faults") // short: a socket's address is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, dir: dir, home: filepath.Join(dir, "home"), projects: filepath.Join(dir, "projects")}
	for _, d := range []string{w.home, w.projects, w.path("run"), w.path("user")} {
		w.must(os.MkdirAll(d, 0o700))
	}
	w.settings = map[string]string{
		"dork-home": w.home, "scan-root": w.projects, "socket": w.path("run/s"),
		"listen-address": "127.0.0.1:0", "resync-interval": "300ms", "resync-jitter": "0",
	}
	w.set(settings...)
	return w
}

// on puts home and projects into a directory of its own, which is where a file
// system is mounted.
func (w *world) on(dir string) {
	w.t.Helper()
	w.home, w.projects = filepath.Join(dir, "home"), filepath.Join(dir, "projects")
	for _, d := range []string{w.home, w.projects} {
		w.must(os.MkdirAll(d, 0o700))
	}
	w.set("dork-home", w.home, "scan-root", w.projects)
}

// homeOn puts home alone there.
func (w *world) homeOn(dir string) {
	w.t.Helper()
	projects := w.projects
	w.on(dir)
	w.projects = projects
	w.set("scan-root", projects)
}

func (w *world) set(settings ...string) {
	for pair := range slices.Chunk(settings, 2) {
		w.settings[pair[0]] = pair[1]
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// path is one below the sandbox.
func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) project(name string) string { return filepath.Join(w.projects, name) }

func (w *world) db() string { return filepath.Join(w.home, "mesh.db") }

func (w *world) rules() string { return filepath.Join(w.home, "relay", "access-rules.json") }

func (w *world) environ() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.path("user"), "XDG_RUNTIME_DIR=" + w.path("run"), "TMPDIR=" + w.dir}
	for flag, value := range w.settings {
		env = append(env, "MESH_CONTROLLER_"+strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))+"="+value)
	}
	return env
}

// outcome is what a command that ended leaves.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs a command of the program to its end.
func (w *world) run(args ...string) outcome {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Env = "/", w.environ()
	code, stdout, stderr, err := process.Run(cmd)
	if err != nil {
		w.t.Fatalf("%v: %v", args, err)
	}
	return outcome{code, stdout, stderr}
}

func (w *world) want(code int, args ...string) outcome {
	w.t.Helper()
	o := w.run(args...)
	if o.code != code {
		w.t.Fatalf("%v: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", args, o.code, code, o.stdout, o.stderr)
	}
	return o
}

type syncView struct {
	Converged bool
	Counts    struct{ Agents, Queued, Removed, Duplicates, Failed, Unknown, Held int }
	Failures  []struct{ ID, Path, Reason, Message string }
}

// sync makes one that has to converge.
func (w *world) sync(flags ...string) (v syncView) {
	w.t.Helper()
	o := w.want(0, append([]string{"sync", "-o", "json"}, flags...)...)
	w.must(json.Unmarshal([]byte(o.stdout), &v))
	return v
}

// converges asks for full syncs until one has nothing left over: a call that
// had been slow may be under way for a while yet, and its mount does not count
// as one that answers before it returns.
func (w *world) converges() {
	w.t.Helper()
	w.eventually(func() error {
		if o := w.run("sync", "--full", "-o", "json"); o.code != 0 {
			return fmt.Errorf("sync: exit code %d: %s %s", o.code, o.stdout, o.stderr)
		}
		return nil
	})
}

type agentView struct {
	ID, Name, Namespace, ProjectPath, Status, Reason, RelaySubject string
	MissingSince, RemoveAt                                         *string
	Endpoint                                                       bool
	Hold                                                           *struct{ Reason string }
	DuplicatePaths                                                 []string
}

// says is what matters of it, on one line.
func (a agentView) says() string {
	s := a.Status + " " + a.Reason
	if a.Hold != nil {
		s += " held " + a.Hold.Reason
	}
	return s
}

// agents are all, by id.
func (w *world) agents() map[string]agentView {
	w.t.Helper()
	var v struct{ Agents []agentView }
	w.must(json.Unmarshal([]byte(w.want(0, "agents", "-o", "json").stdout), &v))
	list := map[string]agentView{}
	for _, a := range v.Agents {
		list[a.ID] = a
	}
	return list
}

// eachSays waits until every agent of a list says so; "" is that it is gone.
func (w *world) eachSays(want string, ids ...string) {
	w.t.Helper()
	w.eventually(func() error { return w.now(want, ids...) })
}

// now is an error unless they all say so.
func (w *world) now(want string, ids ...string) error {
	w.t.Helper()
	list := w.agents()
	for _, id := range ids {
		a, there := list[id]
		if got := a.says(); there && got != want || !there && want != "" {
			return fmt.Errorf("%s is %q, want %q", id, got, want)
		}
	}
	return nil
}

// eventually polls until there is no error.
func (w *world) eventually(check func() error) {
	w.t.Helper()
	w.within(patience, check)
}

func (w *world) within(d time.Duration, check func() error) {
	w.t.Helper()
	for deadline := time.Now().Add(d); ; time.Sleep(20 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("after %s: %v", d, err)
		}
	}
}

// cell is one value of the index, as text.
func (w *world) cell(query string, args ...any) (cell string) {
	w.t.Helper()
	w.index(func(db *sql.DB) error {
		var v sql.NullString
		err := db.QueryRowContext(w.t.Context(), query, args...).Scan(&v)
		cell = v.String
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return cell
}

// descriptions are those of all rows, by id.
func (w *world) descriptions() map[string]string {
	w.t.Helper()
	list := map[string]string{}
	w.index(func(db *sql.DB) error {
		rows, err := db.QueryContext(w.t.Context(), "SELECT id, description FROM agents")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, text string
			if err := rows.Scan(&id, &text); err != nil {
				return err
			}
			list[id] = text
		}
		return rows.Err()
	})
	return list
}

func (w *world) index(f func(db *sql.DB) error) {
	w.t.Helper()
	name := url.URL{Scheme: "file", OmitHost: true, Path: w.db(), RawQuery: "mode=rw&_pragma=busy_timeout(10000)"}
	db, err := sqlite.Open(name.String())
	w.must(err)
	err = f(db)
	w.must(db.Close())
	w.must(err)
}

// shell runs a command of the system.
func (w *world) shell(name string, args ...string) string {
	w.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}

// needs skips the test where a command is missing.
func needs(t *testing.T, commands ...string) {
	t.Helper()
	for _, c := range commands {
		if _, err := exec.LookPath(c); err != nil {
			t.Skipf("%s is not installed", c)
		}
	}
}
