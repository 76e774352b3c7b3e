package maildir

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
	"github.com/mesh-registry/mesh-controller/pkg/relay/relaytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ relay.Backend = (*Relay)(nil)

// home is a dork home in a temporary directory, and the hands on it.
type home struct {
	*Relay
	t      *testing.T
	dir    string // of the relay
	writes atomic.Int64
	run    time.Time // of the DorkOS that was last faked
}

func newHome(t *testing.T) *home {
	t.Helper()
	root := t.TempDir()
	h := &home{t: t, dir: filepath.Join(root, "relay")}
	h.Relay = h.open()
	return h
}

// open makes a relay that counts its writes and looks twice at once.
func (h *home) open() *Relay {
	h.t.Helper()
	r, err := New(Options{Dir: h.dir, DorkHome: filepath.Dir(h.dir), Now: time.Now})
	if err != nil {
		h.t.Fatal(err)
	}
	write := r.replace
	r.replace = func(path string, expected, next []byte) error {
		err := write(path, expected, next)
		if err == nil {
			h.writes.Add(1)
		}
		return err
	}
	r.check.delay = time.Millisecond
	h.t.Cleanup(func() {
		if err := r.Close(); err != nil {
			h.t.Error(err)
		}
	})
	return r
}

func (h *home) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *home) rulesPath() string { return filepath.Join(h.dir, "access-rules.json") }

func (h *home) text() string {
	h.t.Helper()
	raw, err := os.ReadFile(h.rulesPath())
	if !os.IsNotExist(err) {
		h.must(err)
	}
	return string(raw)
}

// setText saves the rules file as an editor does.
func (h *home) setText(text string) {
	h.t.Helper()
	h.must(os.MkdirAll(h.dir, 0o700))
	h.must(os.WriteFile(h.rulesPath()+"~", []byte(text), 0o644))
	h.must(os.Rename(h.rulesPath()+"~", h.rulesPath()))
}

// deliver is what a sender does: a file in tmp/, renamed into new/.
func (h *home) deliver(s agent.Subject, name, content string) {
	h.t.Helper()
	tmp := filepath.Join(h.box(s), "tmp", name)
	h.must(os.WriteFile(tmp, []byte(content), 0o600))
	h.must(os.Rename(tmp, filepath.Join(h.box(s), "new", name)))
}

// tree is every path below a directory with the content of its files.
func (h *home) tree(dir string) map[string]string {
	h.t.Helper()
	tree := map[string]string{}
	h.must(filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if e.IsDir() {
			tree[rel+"/"] = ""
			return nil
		}
		raw, err := os.ReadFile(path)
		tree[rel] = string(raw)
		return err
	}))
	return tree
}

func (h *home) letters(dir string) map[string]string {
	letters := map[string]string{}
	for path, content := range h.tree(dir) {
		if !strings.HasSuffix(path, "/") {
			letters[path] = content
		}
	}
	return letters
}

// dorkOS fakes one that lives: this very process, begun when it says.
func (h *home) dorkOS(running bool) {
	h.t.Helper()
	lock := filepath.Join(filepath.Dir(h.dir), "instance.lock")
	if !running {
		h.must(os.RemoveAll(lock))
		return
	}
	if h.run.IsZero() {
		h.run = time.Now()
	}
	h.run = h.run.Add(time.Second)
	text := fmt.Sprintf(`{"pid": %d, "port": 4242, "startedAt": %q, "version": "0.62.0"}`, os.Getpid(), agent.FormatTime(h.run))
	h.must(os.WriteFile(lock, []byte(text), 0o644))
}

func TestSuite(t *testing.T) {
	relaytest.Run(t, func(t *testing.T) *relaytest.Harness {
		h := newHome(t)
		intact := ""
		return &relaytest.Harness{
			Backend: h.Relay,
			Reopen:  func() relay.Backend { return h.open() },
			Deliver: h.deliver,
			Mail:    func(s agent.Subject) map[string]string { return h.letters(h.box(s)) },
			Kept:    func() int { return len(h.letters(h.removed)) },
			Rules: func() (rules []agent.Rule) {
				text := h.text()
				if text == "" {
					return nil
				}
				d, err := parse([]byte(text))
				h.must(err)
				for _, e := range d.entries {
					rules = append(rules, e.rule)
				}
				return rules
			},
			SetRules: func(rules []agent.Rule) { h.setText(render(rules)) },
			Writes:   func() int { return int(h.writes.Load()) },
			Break: func(broken bool) {
				if broken {
					intact = h.text()
					h.setText(intact[:len(intact)/2])
					return
				}
				h.setText(intact)
			},
			State:  func() string { return fmt.Sprint(h.tree(h.dir)) },
			Vanish: func(s agent.Subject) { h.must(os.RemoveAll(h.box(s))) },
			Damage: func(s agent.Subject) { h.must(os.Remove(h.box(s) + "/failed")) },
			DorkOS: h.dorkOS,
		}
	})
}

// render writes rules as the original does.
func render(rules []agent.Rule) string {
	if len(rules) == 0 {
		return "[]"
	}
	out := []byte("[")
	for i, r := range rules {
		if i > 0 {
			out = append(out, ',')
		}
		out = defaultStyle.render(append(out, "\n  "...), r)
	}
	return string(append(out, "\n]"...))
}
