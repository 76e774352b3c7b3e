package e2e

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

type setting struct {
	Name   string
	Value  any
	Origin string
	Source *string
}

// Each setting with its value, and where that comes from.
func TestConfigView(t *testing.T) {
	w := newWorld(t, "scan-depth", "7")
	for _, flag := range []string{"socket", "resync-interval", "listen-address"} {
		delete(w.settings, flag)
	}
	file := w.path("config/mesh-controller/config.yaml")
	w.write(file, "# settings\nscan-depth: 3\nprobe-timeout: 3s\nworkers: 4\n")
	got := map[string]setting{}
	for _, s := range ask[struct{ Settings []setting }](w, 0, "config", "view", "--workers", "6").Settings {
		got[s.Name] = s
	}
	for _, want := range []struct{ name, value, origin, source string }{
		{"mass-missing-hold", "72h", "default", ""},
		{"orphan-grace", "24h", "default", ""},
		{"settle", "1m", "default", ""},
		{"unmounted-grace", "720h", "default", ""},
		{"resync-interval", "5m", "default", ""},
		{"resync-jitter", "0.1", "default", ""},
		{"mass-missing-min", "5", "default", ""},
		{"mass-missing-ratio", "0.55", "default", ""},
		{"relay", "maildir", "default", ""},
		{"relay-dir", w.home + "/relay", "default", ""},
		{"db", w.db(), "default", ""},
		{"listen-address", "127.0.0.1:9648", "default", ""},
		{"enable-pprof", "false", "default", ""},
		{"socket", w.path("run/mesh-controller.sock"), "default", ""},
		{"log-level", "info", "default", ""},
		{"log-format", "json", "default", ""},
		{"probe-timeout", "3s", "file", file + ":3"},
		{"scan-depth", "7", "environment", "MESH_CONTROLLER_SCAN_DEPTH"},
		{"dork-home", w.home, "environment", "MESH_CONTROLLER_DORK_HOME"},
		{"scan-root", fmt.Sprint([]string{w.home + "/agents", w.projects}), "environment", "MESH_CONTROLLER_SCAN_ROOT"},
		{"workers", "6", "flag", "--workers"},
	} {
		s, ok := got[want.name]
		source := ""
		if s.Source != nil {
			source = *s.Source
		}
		if !ok || fmt.Sprint(s.Value) != want.value || s.Origin != want.origin || source != want.source {
			t.Errorf("%s is %v from %s %s, want %s from %s %s", want.name, s.Value, s.Origin, source, want.value, want.origin, want.source)
		}
	}
	if o := w.want(0, "config", "view"); !strings.Contains(o.stdout, "mass-missing-hold") {
		t.Errorf("for people:\n%s", o.stdout)
	}
	w.want(0, "config", "validate")
}

// What is computed follows what it is computed from.
func TestConfigViewComputes(t *testing.T) {
	w := newWorld(t, "orphan-grace", "2h", "socket", "")
	delete(w.settings, "socket")
	w.env["XDG_RUNTIME_DIR"] = ""
	for _, s := range ask[struct{ Settings []setting }](w, 0, "config", "view").Settings {
		want := map[string]string{"mass-missing-hold": "6h", "socket": w.home + "/mesh-controller.sock"}[s.Name]
		if want != "" && (s.Value != want || s.Origin != "default") {
			t.Errorf("%+v, want %s", s, want)
		}
	}
}

func TestVersion(t *testing.T) {
	w := newWorld(t, "workers", "none") // no setting matters
	v := ask[map[string]string](w, 0, "version")
	if v["version"] != version || v["commit"] != commit || v["goVersion"] != runtime.Version() ||
		v["platform"] != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("%v", v)
	}
	if o := w.want(0, "version"); !strings.Contains(o.stdout, version) {
		t.Errorf("for people: %s", o.stdout)
	}
}

func TestCompletion(t *testing.T) {
	w := newWorld(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if o := w.want(0, "completion", shell); !strings.Contains(o.stdout, "mesh-controller") {
			t.Errorf("%s: %s", shell, o.stdout)
		}
	}
	if bash, err := exec.LookPath("bash"); err == nil {
		check := exec.Command(bash, "-n")
		check.Stdin = strings.NewReader(w.want(0, "completion", "bash").stdout)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("bash does not take it: %v: %s", err, out)
		}
	}
	if o := w.want(0, "__complete", "sync", "--re"); !strings.Contains(o.stdout, "--resync-interval") {
		t.Errorf("completes to %s", o.stdout)
	}
}
