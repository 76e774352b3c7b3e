//go:build crash && linux && amd64

package crash

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// world is one home with projects beside it, at a place that stays: its paths
// are in the index.
type world struct {
	t        *testing.T
	dir      string // holds all below
	home     string
	projects string
	flags    []string // settings of every command
	kept     string   // the copy that reset brings back
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "crash")
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	w := &world{t: t, dir: filepath.Join(dir, "w"), kept: filepath.Join(dir, "kept")}
	w.must(err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w.home, w.projects = filepath.Join(w.dir, "home"), filepath.Join(w.dir, "projects")
	for _, d := range []string{w.home, w.projects, filepath.Join(w.dir, "user")} {
		w.must(os.MkdirAll(d, 0o755))
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) project(name string) string { return filepath.Join(w.projects, name) }

// manifest makes a project.
func (w *world) manifest(name, id string) {
	w.t.Helper()
	dir := filepath.Join(w.project(name), ".dork")
	w.must(os.MkdirAll(dir, 0o755))
	text := fmt.Sprintf(`{
	"id": %q, "name": %q,
	"runtime": "codex",   "registeredAt": "2026-01-02T03:04:05.000Z", "registeredBy": "somebody",
	"someoneElses": {"keep": [1, 2, 3]}
}
`, id, filepath.Base(name))
	w.must(os.WriteFile(filepath.Join(dir, "agent.json"), []byte(text), 0o640))
}

// mail puts a letter into an agent's mailbox.
func (w *world) mail(subject string) {
	w.t.Helper()
	w.must(os.WriteFile(filepath.Join(w.home, "relay", "mailboxes", subject, "new", "letter"), []byte("dear agent"), 0o600))
}

func (w *world) env() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(w.dir, "user"), "XDG_RUNTIME_DIR=" + w.dir, "TZ=UTC"}
}

func (w *world) argv(args []string) []string {
	return slices.Concat([]string{binary}, args, []string{"--dork-home", w.home, "--scan-root", w.projects}, w.flags)
}

// run runs a command in peace and returns its exit code.
func (w *world) run(args ...string) (string, int) {
	w.t.Helper()
	argv := w.argv(args)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = w.env()
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		w.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (w *world) sync() string {
	w.t.Helper()
	out, code := w.run("sync", "-o", "json")
	if code != 0 {
		w.t.Fatalf("sync: exit %d: %s", code, out)
	}
	return out
}

// keep remembers the world as it is, reset brings it back.
func (w *world) keep() { w.copyTree(w.dir, w.kept) }

func (w *world) reset() { w.copyTree(w.kept, w.dir) }

func (w *world) copyTree(from, to string) {
	w.t.Helper()
	w.must(os.RemoveAll(to))
	w.must(os.MkdirAll(filepath.Dir(to), 0o755))
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		w.t.Fatalf("cp: %v: %s", err, out)
	}
}

var (
	ulid  = regexp.MustCompile(`\b[0-9A-HJKMNP-TV-Z]{26}\b`)
	stamp = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z|\d{8}T\d{6}\.\d{3}Z`)
)

// state is everything that matters of the world, without what differs between
// two runs: times, and the ids of new agents.
func (w *world) state() string {
	w.t.Helper()
	var lines []string
	w.must(filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(path, w.dir)
		if err != nil || d.IsDir() && !strings.Contains(rel, "/mailboxes/") || strings.HasPrefix(rel, "/home/mesh.db") {
			return err
		}
		line := rel
		if info, err := d.Info(); err == nil && d.Type().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %s %q", info.Mode(), data)
		}
		lines = append(lines, line)
		return nil
	}))
	lines = append(lines, w.rows()...)
	for i := range lines {
		lines[i] = stamp.ReplaceAllString(ulid.ReplaceAllString(lines[i], "NEW"), "TIME")
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// rows are the index, which has to be whole.
func (w *world) rows() (list []string) {
	w.t.Helper()
	db, err := sqlite3.OpenFlags(filepath.Join(w.home, "mesh.db"), sqlite3.OPEN_READWRITE)
	w.must(err)
	defer db.Close()
	query := func(sql string) (out []string) {
		st, _, err := db.Prepare(sql)
		w.must(err)
		defer st.Close()
		for st.Step() {
			var cells []string
			for i := range st.ColumnCount() {
				cells = append(cells, st.ColumnText(i))
			}
			out = append(out, strings.Join(cells, " | "))
		}
		w.must(st.Err())
		return out
	}
	if check := query("PRAGMA integrity_check"); len(check) != 1 || check[0] != "ok" {
		w.t.Errorf("integrity: %v", check)
	}
	for _, r := range query("SELECT id, name, namespace, status, project_path, scan_root, description, capabilities_json FROM agents") {
		list = append(list, "row "+r)
	}
	for _, r := range query("SELECT agent_id, path, reason FROM mesh_controller_problems") {
		list = append(list, "problem "+r)
	}
	for _, r := range query("SELECT agent_id, evidence, paused FROM mesh_controller_agents") {
		list = append(list, "state "+r)
	}
	return list
}

// settled proves that one sync is enough: a second one finds nothing to do.
func (w *world) settled() {
	w.t.Helper()
	var result struct {
		Converged bool
		Counts    struct{ Queued int }
	}
	out := w.sync()
	w.must(json.Unmarshal([]byte(out), &result))
	if !result.Converged || result.Counts.Queued != 0 {
		w.t.Errorf("a second sync found work: %s", out)
	}
}
