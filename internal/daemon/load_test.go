package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// world is where settings of a test come from.
type world struct {
	home  string
	flags map[string][]string
	env   map[string]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{home: RealPath(t.TempDir()), flags: map[string][]string{}, env: map[string]string{}}
}

func (w *world) input() Input {
	return Input{
		Flags: w.flags, Dir: w.home,
		LookupEnv: func(name string) (string, bool) { v, ok := w.env[name]; return v, ok },
		UserHome:  func() (string, error) { return w.home, nil },
		DefaultDB: func(dorkHome string) string { return filepath.Join(dorkHome, "mesh.db") },
	}
}

func (w *world) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(w.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *world) load(t *testing.T) *Settings {
	t.Helper()
	s, err := Load(w.input())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// problems are the errors of a load, one line each.
func (w *world) problems(t *testing.T) []string {
	t.Helper()
	_, err := Load(w.input())
	var bad *SettingsError
	if !errors.As(err, &bad) {
		t.Fatalf("error %v, want a *SettingsError", err)
	}
	var lines []string
	for _, p := range bad.Problems {
		lines = append(lines, strings.ReplaceAll(p.String(), w.home, "~"))
	}
	if bad.Hint() == "" {
		t.Error("there is no hint")
	}
	return lines
}

// Every setting can be given everywhere, and the stronger place wins.
func TestPrecedence(t *testing.T) {
	for _, setting := range Table() {
		t.Run(setting.Name, func(t *testing.T) {
			w := newWorld(t)
			want := []any{w.load(t).value(t, setting.Name)}
			values := samples(setting)
			w.file(t, ".config/mesh-controller/config.yaml", setting.Name+": "+values[0]+"\n")
			want = append(want, w.load(t).value(t, setting.Name))
			w.env[setting.Env()] = values[1]
			want = append(want, w.load(t).value(t, setting.Name))
			w.flags[setting.Name] = []string{values[2]}
			want = append(want, w.load(t).value(t, setting.Name))
			for i, v := range want {
				for _, other := range want[i+1:] {
					if setting.IsBool() || len(setting.Choices) > 0 {
						continue // too few values to differ everywhere
					}
					if cmp.Equal(v, other) {
						t.Errorf("two places give %v: one of them is not read", v)
					}
				}
			}
			if got := w.load(t).Origin(setting.Name); got != FromFlag {
				t.Errorf("origin %s, want a flag", got)
			}
		})
	}
}

func (s *Settings) value(t *testing.T, name string) any {
	t.Helper()
	for _, v := range s.Values {
		if v.Name == name {
			return v.Value
		}
	}
	t.Fatalf("no setting %s", name)
	return nil
}

// samples are three values of a setting, none of them the default.
func samples(s Setting) [3]string {
	switch {
	case len(s.Choices) > 1:
		last := s.Choices[len(s.Choices)-1]
		return [3]string{last, s.Choices[0], last}
	case s.IsBool():
		return [3]string{"true", "false", "true"}
	case s.IsList():
		return [3]string{"[/f]", "/e", "/g"}
	case s.Name == "listen-address":
		return [3]string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"}
	case s.Placeholder() == "duration":
		return [3]string{"11m", "12m", "13m"}
	case s.Placeholder() == "ratio":
		return [3]string{"0.2", "0.3", "0.4"}
	case s.Placeholder() == "n":
		return [3]string{"11", "12", "13"}
	}
	return [3]string{"/f", "/e", "/g"}
}

func TestOriginNamesThePlace(t *testing.T) {
	w := newWorld(t)
	file := w.file(t, "c.yaml", "# first\n\nsettle: 2m\n")
	w.flags["config"] = []string{"c.yaml"}
	w.flags["scan-depth"] = []string{"1", "2"}
	w.env["MESH_CONTROLLER_WORKERS"] = "3"
	w.env["DORK_HOME"] = "dork"
	s := w.load(t)
	got := map[string]string{}
	for _, v := range s.Values {
		if v.Source != nil {
			got[v.Name] = string(v.Origin) + " " + *v.Source
		}
	}
	want := map[string]string{
		"settle": "file " + file + ":3", "scan-depth": "flag --scan-depth",
		"workers": "environment MESH_CONTROLLER_WORKERS", "dork-home": "environment DORK_HOME",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if s.ScanDepth != 2 || s.DorkHome != filepath.Join(w.home, "dork") || s.File != file {
		t.Errorf("got %+v", s.Config)
	}
}

func TestEmptyVariables(t *testing.T) {
	w := newWorld(t)
	for _, s := range Table() {
		w.env[s.Env()] = ""
	}
	w.env["MESH_CONTROLLER_CONFIG"] = ""
	s := w.load(t)
	for _, v := range s.Values {
		if v.Name != "listen-address" && v.Name != "web-config-file" && v.Origin != FromDefault {
			t.Errorf("%s is taken from an empty variable", v.Name)
		}
	}
	if s.ListenAddress != "" {
		t.Errorf("listen address %q: an empty variable turns it off", s.ListenAddress)
	}
}

func TestPathsStartWhereTheyStand(t *testing.T) {
	w := newWorld(t)
	w.flags["config"] = []string{w.file(t, "etc/c.yaml", "scan-root: [a, ~/b, /c/../d]\nrelay-dir: ~\n")}
	w.env["MESH_CONTROLLER_DB"] = "~/x.db"
	w.flags["socket"] = []string{"s.sock"}
	s := w.load(t)
	want := []string{
		filepath.Join(w.home, ".dork/agents"), filepath.Join(w.home, "etc/a"), filepath.Join(w.home, "b"), "/d",
	}
	if diff := cmp.Diff(want, s.ScanRoots); diff != "" {
		t.Errorf("roots (-want +got):\n%s", diff)
	}
	if s.DB != w.home+"/x.db" || s.Socket != w.home+"/s.sock" {
		t.Errorf("db %s, socket %s", s.DB, s.Socket)
	}
	if s.RelayDir != filepath.Join(w.home, ".dork/relay") {
		t.Errorf("relay-dir %s: null in the file is no value", s.RelayDir)
	}
}

func TestSocketPrefersTheRuntimeDirectory(t *testing.T) {
	w := newWorld(t)
	own := filepath.Join(w.home, ".dork/mesh-controller.sock")
	if s := w.load(t); s.Socket != own || s.SocketFallback != "" {
		t.Errorf("socket %q, fallback %q", s.Socket, s.SocketFallback)
	}
	w.env["XDG_RUNTIME_DIR"] = "/run/user/1"
	if s := w.load(t); s.Socket != "/run/user/1/mesh-controller.sock" || s.SocketFallback != own {
		t.Errorf("socket %q, fallback %q", s.Socket, s.SocketFallback)
	}
	w.flags["socket"] = []string{"/named"}
	if s := w.load(t); s.Socket != "/named" || s.SocketFallback != "" {
		t.Errorf("socket %q, fallback %q", s.Socket, s.SocketFallback)
	}
}

func TestMassMissingHoldFollowsTheGrace(t *testing.T) {
	w := newWorld(t)
	w.flags["orphan-grace"] = []string{"2h"}
	if got := w.load(t).MassMissingHold; got != 6*time.Hour {
		t.Errorf("hold %s, want 6h", got)
	}
	w.flags["mass-missing-hold"] = []string{"1h"}
	if got := w.load(t).MassMissingHold; got != time.Hour {
		t.Errorf("hold %s, want 1h", got)
	}
}

func TestEveryBadValueIsNamed(t *testing.T) {
	w := newWorld(t)
	w.env["MESH_CONTROLLER_SETTLE"] = "60"
	w.env["MESH_CONTROLLER_SCAN_ROOT"] = "/a,,/b"
	w.flags["workers"] = []string{"two"}
	w.flags["config"] = []string{w.file(t, "c.yaml",
		"log-levels: info\nresync-jitter: 2\nenable-pprof: perhaps\nrelay: {a: b}\nscan-depth: 1\nscan-depth: 2\n")}
	want := []string{
		`~/c.yaml:1: unknown key "log-levels": did you mean "log-level"?`,
		`~/c.yaml:4: relay: must be one plain value`,
		`~/c.yaml:6: scan-depth stands already in line 5`,
		`MESH_CONTROLLER_SCAN_ROOT: has an empty entry`,
		`~/c.yaml:2: resync-jitter: "2" is not allowed: must be between 0 and 1`,
		`--workers: "two" is not a whole number`,
		`MESH_CONTROLLER_SETTLE: "60" is not a duration: write it like 90s, 5m or 24h`,
		`~/c.yaml:3: enable-pprof: "perhaps" is neither true nor false`,
	}
	if diff := cmp.Diff(want, w.problems(t)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for text, want := range map[string]string{
		"a: b\n c: [\n":                  "~/c.yaml:2: ",
		"- a\n":                          "~/c.yaml:1: must be a mapping",
		"settle: 1m\n---\nsettle: 2m\n":  "~/c.yaml: holds more than one document",
		"word\n":                         "~/c.yaml:1: must be a mapping",
		strings.Repeat("# x\n", 300_000): "--config: ~/c.yaml: is larger than 1 MiB",
	} {
		w := newWorld(t)
		w.file(t, "c.yaml", text)
		w.flags["config"] = []string{"c.yaml"}
		if got := w.problems(t); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("problems %q, want %q", got, want)
		}
	}
	for _, text := range []string{"", "# nothing\n", "null\n", "---\n"} {
		w := newWorld(t)
		w.file(t, "c.yaml", text)
		w.flags["config"] = []string{"c.yaml"}
		w.load(t)
	}
}

func TestNoHome(t *testing.T) {
	w := newWorld(t)
	in := w.input()
	in.UserHome = func() (string, error) { return "", errors.New("no home") }
	if _, err := Load(in); err == nil || !strings.Contains(err.Error(), "set HOME") {
		t.Errorf("error %v, want one that says what to set", err)
	}
	w.flags["dork-home"] = []string{"/dork"}
	if _, err := Load(in); err != nil {
		t.Errorf("with a named dork-home no home is needed: %v", err)
	}
}
