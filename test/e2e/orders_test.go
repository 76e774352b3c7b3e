package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outcomeView is what an order about one agent prints.
type outcomeView struct {
	ID, Path, Reason, Message string
	Finished                  bool
	Agent                     *agentView
}

type denialsView struct {
	Denials []struct{ Path, Reason, Since string }
}

// bothWays runs a test without a daemon and through one.
func bothWays(t *testing.T, test func(t *testing.T, w *world, start func())) {
	for _, served := range []bool{false, true} {
		t.Run(map[bool]string{true: "through the daemon", false: "without a daemon"}[served], func(t *testing.T) {
			w := newWorld(t)
			test(t, w, func() {
				if served {
					w.start()
				} else {
					w.want(0, "sync")
				}
			})
		})
	}
}

// The life of an agent by orders alone.
func TestOrders(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, start func()) {
		w.must(os.MkdirAll(w.project("one"), 0o700))
		start()
		order := func(reason string, args ...string) outcomeView {
			t.Helper()
			o := ask[outcomeView](w, 0, args...)
			if o.Reason != reason || !o.Finished || o.Path == "" || (reason == "Unregistered") != (o.Agent == nil) {
				t.Errorf("%v: %+v", args, o)
			}
			return o
		}
		one := w.project("one")
		made := order("Registered", "register", one, "--name", "first", "--runtime", "codex", "--namespace", "teams")
		if a := w.agent(made.ID); a.Namespace != "teams" || !a.Endpoint || a.ProjectPath != one {
			t.Errorf("registered %+v", a)
		}
		order("InSync", "register", one)
		order("Updated", "update", made.ID, "--set", "name=second", "--set", "behavior.responseMode=silent")
		if a := w.agent(made.ID); a.Name != "second" {
			t.Errorf("updated %+v", a)
		}
		order("NamespaceChanged", "update", one, "--set", "namespace=others")
		w.copyProject("one", "two")
		w.want(0, "sync")
		order("Relocated", "adopt", w.project("two"))
		if a := w.agent(made.ID); a.ProjectPath != w.project("two") {
			t.Errorf("adopted %+v", a)
		}
		if other := order("Registered", "reissue", one); other.ID == made.ID || other.Agent.Name != "second" {
			t.Errorf("reissued %+v", other)
		}
		w.want(0, "plan")
		order("Unregistered", "unregister", made.ID)
		if _, err := os.Stat(manifestOf(w.project("two"))); !os.IsNotExist(err) {
			t.Errorf("the manifest is still there: %v", err)
		}

		list := ask[syncView](w, 0, "deny", one)
		if list.Counts.Removed != 1 || !list.Converged {
			t.Errorf("denied: %+v", list)
		}
		if got := ask[denialsView](w, 0, "agents", "--denied"); len(got.Denials) != 1 || got.Denials[0].Path != one {
			t.Errorf("denials %+v", got)
		}
		w.want(0, "undeny", one)
		if got := ask[agentsView](w, 0, "agents").Agents; len(got) != 1 || got[0].ProjectPath != one {
			t.Errorf("undenied: %+v", got)
		}
		w.want(0, "plan")
	})
}

// Paused, nothing is written; and it outlives the process.
func TestPauseLasts(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, start func()) {
		w.fleet(2)
		start()
		w.want(0, "pause", agentID(0))
		w.manifest("p000", agentID(0), fields{"description": "edited"})
		w.manifest("p001", agentID(1), fields{"description": "edited"})
		w.want(0, "sync")
		if got := w.cell("SELECT group_concat(id) FROM agents WHERE description = 'edited'"); got != agentID(1) {
			t.Errorf("edited in the index: %s", got)
		}
		if a := w.agent(agentID(0)); a.Reason != "Paused" {
			t.Errorf("paused: %+v", a)
		}
		w.want(0, "pause")
		w.manifest("p001", agentID(1), fields{"description": "again"})
		w.want(0, "sync")
		if got := w.cell("SELECT count(*) FROM agents WHERE description = 'again'"); got != "0" {
			t.Error("written while everything is paused")
		}
		w.want(0, "resume")
		w.want(0, "resume", agentID(0))
		w.want(0, "sync")
		w.want(0, "plan")
	})
}

// wrongOrders are refused whatever they cost nobody: by their words (64), or by
// how things stand (1).
var wrongOrders = []struct {
	name    string
	args    string // words; % is the directory of projects
	code    int
	message string
}{
	{"path that is missing", "register %/nowhere --name n --runtime codex", 1, "nowhere"},
	{"path below one that is missing", "register %/nowhere/deep --name n --runtime codex", 1, "nowhere"},
	{"path that is a file", "register %/file --name n --runtime codex", 1, "file"},
	{"path below a file", "register %/file/deep --name n --runtime codex", 1, "file"},
	{"no name", "register %/empty --runtime codex", 64, "name"},
	{"no runtime", "register %/empty --name n", 64, "runtime"},
	{"runtime that is unknown", "register %/empty --name n --runtime emacs", 64, "emacs"},
	{"namespace that climbs", "register %/empty --name n --runtime codex --namespace ../..", 64, "../.."},
	{"namespace that is everything", "register %/empty --name n --runtime codex --namespace >", 64, ">"},
	{"namespace that is too long", "register %/empty --name n --runtime codex --namespace " + strings.Repeat("n", 65), 64, "nnn"},
	{"name that deceives", "register %/empty --name a\u202eb --runtime codex", 64, "name"},
	{"id that is a wildcard", "register %/wildcard", 1, "id"},
	{"manifest that is broken", "register %/broken --name n --runtime codex", 1, "not valid"},
	{"manifest that says otherwise", "register %/p000 --name other", 1, agentID(0)},
	{"directory that is a link", "register %/linkdir --name n --runtime codex --force", 1, "linkdir"},
	{"manifest that is a link", "register %/linkfile --name n --runtime codex --force", 1, "linkfile"},
	{"place that is denied", "register %/denied --name n --runtime codex", 1, "deny list"},
	{"copy", "register %/copy", 1, agentID(2)},

	{"no such agent", "update NOBODY --set name=n", 1, "NOBODY"},
	{"no such place", "update %/empty --set name=n", 1, "empty"},
	{"id that climbs", "update ../../etc --set name=n", 1, "etc"},
	{"field that is unknown", "update AGENT001 --set colour=red", 64, "colour"},
	{"field that is not to be set", "update AGENT001 --set id=OTHER", 64, "id"},
	{"field without a value", "update AGENT001 --set name", 64, "name"},
	{"field that is needed", "update AGENT001 --set name=", 64, "name"},
	{"number that is none", "update AGENT001 --set budget.maxHopsPerMessage=many", 64, "budget.maxHopsPerMessage"},
	{"number that is text", `update AGENT001 --set budget.maxHopsPerMessage="5"`, 64, "budget.maxHopsPerMessage"},
	{"switch that is none", "update AGENT001 --set personaEnabled=perhaps", 64, "personaEnabled"},
	{"list that is none", "update AGENT001 --set capabilities=[1]", 64, "capabilities"},
	{"runtime to be unknown", "update AGENT001 --set runtime=emacs", 64, "runtime"},
	{"namespace to be everything", "update AGENT001 --set namespace=*", 64, "namespace"},
	{"one of two", "update AGENT001 --set description=new --set runtime=emacs", 64, "runtime"},
	{"agent that is away", "update AGENT003 --set name=n", 1, agentID(3)},

	{"nobody", "unregister NOBODY", 1, "NOBODY"},
	{"one with a copy", "unregister AGENT002", 1, "copy"},
	{"nothing to adopt", "adopt %/empty", 1, "empty"},
	{"nowhere to adopt", "adopt %/nowhere", 1, "nowhere"},
	{"broken to adopt", "adopt %/broken", 1, "not valid"},
	{"nothing to reissue", "reissue %/empty", 1, "empty"},
	{"link to reissue", "reissue %/linkfile", 1, "linkfile"},
	{"not denied", "undeny %/empty", 1, "empty"},
	{"nobody to pause", "pause NOBODY", 1, "NOBODY"},
	{"nobody to restore", "tombstones restore NOBODY", 1, "NOBODY"},
	{"one to restore that is there", "tombstones restore AGENT001", 1, "AGENT001"},
	{"no id to restore", "tombstones restore %/p000", 64, "p000"},
	{"no root", "release %/p000", 1, "p000"},
	{"no root named", "release", 64, "ROOT"},
	{"one root and all", "release % --all", 64, "--all"},
	{"nowhere to resume", "resume %/nowhere", 1, "nowhere"},
}

// hostile adds to a fleet what orders must not fall for.
func (w *world) hostile() {
	w.t.Helper()
	w.fleet(4)
	w.want(0, "sync")
	w.copyProject("p002", "copy")
	w.must(os.MkdirAll(w.project("empty"), 0o700))
	w.write(w.project("file"), "text")
	w.write(manifestOf(w.project("broken")), "{")
	w.manifest("wildcard", "a.>", nil)
	w.manifest("denied", "DENIED", nil)
	outside := w.path("outside")
	w.write(manifestOf(outside), `{"id":"OUTSIDE","name":"n","runtime":"codex","registeredAt":"2026-01-02T03:04:05.000Z","registeredBy":"e2e"}`)
	w.must(os.MkdirAll(w.project("linkfile/.dork"), 0o700))
	w.must(os.MkdirAll(w.project("linkdir"), 0o700))
	w.must(os.Symlink(manifestOf(outside), manifestOf(w.project("linkfile"))))
	w.must(os.Symlink(w.path("outside/.dork"), w.project("linkdir/.dork")))
	w.want(0, "sync")
	w.want(0, "deny", w.project("denied"))
	w.remove(w.project("p003"))
	w.want(0, "sync")
}

// A refused order says why and what to do, and nothing is touched: no file, no
// row, no mailbox.
func TestWrongOrdersTouchNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, start func()) {
		w.hostile()
		start()
		lock := w.db() + ".lock" // names who has it
		before, outside := w.tree(lock), w.read(manifestOf(w.path("outside")))
		for _, o := range wrongOrders {
			args := strings.Fields(strings.ReplaceAll(o.args, "%", w.projects))
			got := w.run(append(slices.Clone(args), "-o", "json")...)
			if got.code != o.code || got.stdout != "" {
				t.Errorf("%s: exit code %d, want %d: %s%s", o.name, got.code, o.code, got.stdout, got.stderr)
				continue
			}
			e := w.oneError(got.stderr).Error
			if wrong := e.Code == "usage"; wrong != (o.code == 64) || e.Hint == "" || !strings.Contains(e.Message, o.message) {
				t.Errorf("%s: %+v", o.name, e)
			}
			if e.Code == "failed" {
				t.Errorf("%s: a refusal is no failure: %+v", o.name, e)
			}
			if people := w.want(o.code, args...).stderr; !strings.Contains(people, "hint: ") || strings.HasPrefix(people, "{") {
				t.Errorf("%s, for people: %s", o.name, people)
			}
			after := w.tree(lock)
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s: touched (-before +after):\n%s", o.name, diff)
			}
			before = after
		}
		if w.read(manifestOf(w.path("outside"))) != outside {
			t.Error("a file outside was written through a link")
		}
	})
}

// The port only answers questions, whatever the socket is told at the same
// address.
func TestPortTakesNoOrders(t *testing.T) {
	w := newWorld(t)
	w.fleet(1)
	d := w.start()
	here := url.PathEscape(w.project("p000"))
	before := w.tree()
	body := fmt.Sprintf(`{"path":%q,"target":%q,"set":["name=n"]}`, w.project("p000"), agentID(0))
	for _, o := range []struct{ method, path string }{
		{http.MethodPost, "/v1/sync"},
		{http.MethodPost, "/v1/agents"},
		{http.MethodPatch, "/v1/agents/" + agentID(0)},
		{http.MethodDelete, "/v1/agents/" + here},
		{http.MethodPost, "/v1/reissue"},
		{http.MethodPost, "/v1/adopt"},
		{http.MethodPost, "/v1/denials"},
		{http.MethodDelete, "/v1/denials?path=" + here},
		{http.MethodPost, "/v1/pause"},
		{http.MethodPost, "/v1/resume"},
		{http.MethodPost, "/v1/release"},
		{http.MethodPost, "/v1/tombstones/" + agentID(0) + "/restore"},
	} {
		for _, prefix := range []string{"", "/api"} {
			header := http.Header{"Content-Type": {"application/json"}, "X-Http-Method-Override": {o.method}}
			for _, method := range []string{o.method, http.MethodPut, http.MethodGet} {
				a := d.request(method, prefix+o.path, header, body)
				reads := method == http.MethodGet && prefix == "/api" && a.code == http.StatusOK
				if a.code != http.StatusMethodNotAllowed && a.code != http.StatusNotFound && !reads {
					t.Errorf("%s %s: %d", method, prefix+o.path, a.code)
				}
			}
		}
	}
	if diff := cmp.Diff(before, w.tree()); diff != "" {
		t.Errorf("touched (-before +after):\n%s", diff)
	}
}
