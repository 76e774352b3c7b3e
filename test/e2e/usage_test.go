package e2e

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
)

// Whatever is asked for wrongly: exit 64, nothing on stdout, and one JSON
// object on stderr that says what to do.
func TestUsageErrors(t *testing.T) {
	cases := []struct {
		name    string
		args    string
		env     map[string]string
		file    string // config.yaml
		code    string
		message string
		hint    string
	}{
		{name: "flag", args: "agents --scan-rot x", code: "usage", message: "--scan-rot", hint: "--scan-root"},
		{name: "flag of another command", args: "agents --ful", code: "usage", message: "--ful"},
		{name: "flag's value", args: "sync --workers none", code: "configuration", message: "--workers"},
		{name: "command", args: "agnets", code: "usage", message: "agnets", hint: "agents"},
		{name: "no argument", args: "explain", code: "usage"},
		{name: "argument too many", args: "run now", code: "usage"},
		{name: "time", args: "plan --at tomorrow", code: "usage", message: "tomorrow", hint: "+24h"},
		{name: "form", args: "agents --status gone", code: "usage", message: "gone", hint: "unreachable"},
		{
			name: "variable", args: "agents", env: map[string]string{"MESH_CONTROLLER_WORKERS": "0"},
			code: "configuration", message: "MESH_CONTROLLER_WORKERS",
		},
		{
			name: "variable's duration", args: "run", env: map[string]string{"MESH_CONTROLLER_SETTLE": "a while"},
			code: "configuration", message: "MESH_CONTROLLER_SETTLE", hint: "settle",
		},
		{
			name: "key of the file", args: "run", file: "scan-depth: 3\nresync_interval: 1m\n",
			code: "configuration", message: `config.yaml:2: unknown key "resync_interval": did you mean "resync-interval"`,
		},
		{
			name: "value of the file", args: "sync", file: "settle: 1m\nscan-depth: deep\n",
			code: "configuration", message: "config.yaml:2: scan-depth", hint: "scan-depth",
		},
		{name: "file that is no mapping", args: "plan", file: "- a\n", code: "configuration", message: "config.yaml:1"},
		{name: "file that is not there", args: "agents --config nowhere.yaml", code: "configuration", message: "nowhere.yaml"},
		{name: "relay", args: "sync --relay pigeons", code: "configuration", message: "--relay", hint: "maildir"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.env = c.env
			if c.file != "" {
				w.write(w.path("config/mesh-controller/config.yaml"), c.file)
			}
			args := strings.Fields(c.args)
			for _, line := range [][]string{append(args, "-o", "json"), append([]string{"-o", "json"}, args...)} {
				o := w.want(64, line...)
				if o.stdout != "" {
					t.Errorf("stdout: %s", o.stdout)
				}
				e := w.oneError(o.stderr)
				if e.Error.Code != c.code || !strings.Contains(e.Error.Message, c.message) || !strings.Contains(e.Error.Hint, c.hint) || e.Error.Hint == "" {
					t.Errorf("%v: %+v", line, e.Error)
				}
			}
			if o := w.want(64, args...); strings.HasPrefix(o.stderr, "{") || !strings.Contains(o.stderr, c.message) || !strings.Contains(o.stderr, "hint: ") {
				t.Errorf("for people: %s", o.stderr)
			}
			if made := w.treeOf(w.home); len(made) != 1 {
				t.Errorf("it made %v", made)
			}
		})
	}
}

// oneError decodes a text that is one error and nothing else.
func (w *world) oneError(text string) errorView {
	w.t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	var v any
	w.must(dec.Decode(&v))
	bodyShape.fits(w.t, "error", errorShape.fits(w.t, "stderr", v)["error"])
	if err := dec.Decode(&v); err != io.EOF {
		w.t.Errorf("more than one object: %s", text)
	}
	return decode[errorView](w, text)
}
