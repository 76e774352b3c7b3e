package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// clerk takes orders on a daemon's socket, writes them down and answers as a
// test wants.
type clerk struct {
	t   *testing.T
	dir string

	mu     sync.Mutex
	heard  []string // METHOD address body
	status int
	answer any
}

func newClerk(t *testing.T) *clerk {
	t.Helper()
	dir, err := os.MkdirTemp("", "clerk") // short: a socket's address is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &clerk{t: t, dir: daemon.RealPath(dir)}
	l, err := net.Listen("unix", filepath.Join(c.dir, "s.sock"))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: c, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // until it is closed
	}()
	t.Cleanup(func() { s.Close(); <-done })
	t.Chdir(c.dir)
	return c
}

func (c *clerk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, answer := http.StatusOK, any(daemon.Status{DB: filepath.Join(c.dir, "mesh.db"), PID: 7})
	if r.URL.Path != "/v1/status" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			c.t.Error(err)
		}
		c.mu.Lock()
		c.heard = append(c.heard, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
		status, answer = c.status, c.answer
		c.mu.Unlock()
	}
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		c.t.Error(err)
	}
}

// answers is what the next order gets.
func (c *clerk) answers(status int, answer any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard, c.status, c.answer = nil, status, answer
}

// said is what a command printed.
type said struct {
	code           int
	stdout, stderr string
}

func (c *clerk) run(args ...string) said {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	settings := []string{"--dork-home", c.dir, "--db", filepath.Join(c.dir, "mesh.db"), "--socket", filepath.Join(c.dir, "s.sock")}
	a := &app{args: append(settings, args...), stdout: &stdout, stderr: &stderr, now: time.Now}
	code := a.main()
	return said{code, strings.ReplaceAll(stdout.String(), c.dir, "~"), strings.ReplaceAll(stderr.String(), c.dir, "~")}
}

func (c *clerk) orders() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.heard {
		c.heard[i] = strings.ReplaceAll(c.heard[i], c.dir, "~")
	}
	return c.heard
}

// What is typed is what the daemon is told, word by word.
func TestOrdersAsTyped(t *testing.T) {
	c := newClerk(t)
	if err := os.MkdirAll("real/p", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", "link"); err != nil {
		t.Fatal(err)
	}
	slashes := func(path string) string { return strings.ReplaceAll(path, "/", "%2F") }
	outcome := controller.Outcome{ID: "ONE", Reason: agent.InSync, Finished: true}
	for _, o := range []struct {
		typed []string
		heard string
	}{
		{[]string{"register", "link/p"}, `POST /v1/agents {"path":"~/real/p"}`},
		{[]string{"register", "nowhere"}, `POST /v1/agents {"path":"~/nowhere"}`},
		{[]string{"register", "real/p/.dork/agent.json"}, `POST /v1/agents {"path":"~/real/p"}`},
		{
			[]string{
				"register", "real/p", "--name", "n", "--runtime", "codex", "--namespace", "", "--description", "d e",
				"--capability", "a,b", "--capability", "c", "--force",
			},
			`POST /v1/agents {"path":"~/real/p","name":"n","runtime":"codex","namespace":"","description":"d e","capabilities":["a,b","c"],"force":true}`,
		},
		{[]string{"update", "ONE", "--set", "name=a b,c", "--set", "color="}, `PATCH /v1/agents/ONE {"set":["name=a b,c","color="]}`},
		{[]string{"update", "./real/p", "--set", "name=b"}, "PATCH /v1/agents/" + slashes(c.dir) + `%2Freal%2Fp {"set":["name=b"]}`},
		{[]string{"unregister", "ONE"}, `DELETE /v1/agents/ONE`},
		{[]string{"unregister", "ONE", "--all-copies"}, `DELETE /v1/agents/ONE?allCopies=true`},
		{[]string{"reissue", "link/p"}, `POST /v1/reissue {"path":"~/real/p"}`},
		{[]string{"adopt", "ONE"}, `POST /v1/adopt {"path":"~/ONE"}`},
		{[]string{"deny", "."}, `POST /v1/denials {"path":"~"}`},
		{[]string{"undeny", "gone"}, "DELETE /v1/denials?path=" + slashes(c.dir) + "%2Fgone"},
		{[]string{"pause"}, `POST /v1/pause {"target":""}`},
		{[]string{"pause", "ONE"}, `POST /v1/pause {"target":"ONE"}`},
		{[]string{"resume", "./real/p"}, `POST /v1/resume {"target":"~/real/p"}`},
		{[]string{"release", "link"}, `POST /v1/release {"root":"~/real"}`},
		{[]string{"release", "gone/for/good"}, `POST /v1/release {"root":"~/gone/for/good"}`},
		{[]string{"release", "--all"}, `POST /v1/release {"root":null}`},
		{[]string{"tombstones", "restore", "ONE"}, `POST /v1/tombstones/ONE/restore`},
	} {
		c.answers(http.StatusOK, outcome)
		got := c.run(o.typed...)
		if got.code > 0 && got.code != exitPartial || got.stdout == "" {
			t.Errorf("%v: %+v", o.typed, got)
		}
		want := []string{strings.ReplaceAll(o.heard, c.dir, "~")}
		if diff := cmp.Diff(want, c.orders()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", o.typed, diff)
		}
	}
}

// What needs no look at the world is refused before anything is told.
func TestOrdersThatSayNothing(t *testing.T) {
	c := newClerk(t)
	for _, typed := range [][]string{
		{"register"},
		{"register", ""},
		{"register", "a", "b"},
		{"register", ".dork"},
		{"update", "ONE"},
		{"update", "--set", "a=b"},
		{"unregister"},
		{"unregister", "ONE", "TWO"},
		{"reissue"},
		{"adopt", "p/.dork/"},
		{"deny", ""},
		{"undeny"},
		{"pause", "ONE", "TWO"},
		{"pause", ""},
		{"release"},
		{"release", ""},
		{"release", "a", "b"},
		{"release", "a", "--all"},
		{"release", "--all=false"},
		{"tombstones", "ONE"},
		{"tombstones", "restore"},
		{"tombstones", "restore", "ONE", "TWO"},
		{"tombstones", "restore", "./one"},
		{"tombstones", "restore", ""},
		{"agents", "--denied", "--problems"},
		{"agents", "--denied", "-w"},
		{"agents", "--denied", "ONE"},
	} {
		c.answers(http.StatusOK, nil)
		got := c.run(append(typed, "-o", "json")...)
		var e daemon.APIError
		if err := json.Unmarshal([]byte(got.stderr), &e); err != nil || got.code != exitUsage || got.stdout != "" || e.Error.Code != "usage" || e.Error.Hint == "" {
			t.Errorf("%v: %+v", typed, got)
		}
		if heard := c.orders(); heard != nil {
			t.Errorf("%v: told %v", typed, heard)
		}
	}
}

// How an order ends, for people and for programs.
func TestOrdersEnd(t *testing.T) {
	c := newClerk(t)
	one := &controller.AgentStatus{ID: "ONE", Name: "first", Namespace: "teams"}
	for _, o := range []struct {
		name   string
		status int
		answer any
		typed  string
		want   said
	}{
		{
			"registered", http.StatusCreated,
			controller.Outcome{ID: "ONE", Path: "/p", Reason: agent.Registered, Finished: true, Agent: one},
			"register /p",
			said{0, "registered ONE at /p, name first, namespace teams\nnext: `mesh-controller explain ONE` shows it from every side\n", ""},
		},
		{
			"was so already", http.StatusOK,
			controller.Outcome{ID: "ONE", Path: "/p", Reason: agent.InSync, Finished: true, Agent: one},
			"update ONE --set name=first",
			said{0, "nothing to do: ONE at /p, name first, namespace teams\nnext: `mesh-controller explain ONE` shows it from every side\n", ""},
		},
		{
			"gone", http.StatusOK,
			controller.Outcome{ID: "ONE", Path: "/p", Reason: agent.Unregistered, Message: "record and mail are kept", Finished: true},
			"unregister ONE",
			said{0, "unregistered ONE at /p\nrecord and mail are kept\n", ""},
		},
		{
			"not finished", http.StatusOK,
			controller.Outcome{ID: "ONE", Path: "/p", Reason: agent.Unregistered, Message: "the relay is down"},
			"unregister ONE",
			said{
				exitPartial, "unregistered ONE at /p\n", "mesh-controller: ONE: not everything is done yet: the relay is down\n" +
					"hint: nothing: the rest follows by itself, where no daemon runs with the next `mesh-controller sync`\n",
			},
		},
		{
			"refused", http.StatusConflict,
			daemon.APIError{Error: daemon.ErrorBody{Code: "refused", Message: "TWO is at home there", Hint: "use another path"}},
			"register /p",
			said{exitFailed, "", "mesh-controller: TWO is at home there\nhint: use another path\n"},
		},
		{
			"misunderstood", http.StatusBadRequest,
			daemon.APIError{Error: daemon.ErrorBody{Code: "usage", Message: "no field colour", Hint: "write color"}},
			"update ONE --set color=red",
			said{exitUsage, "", "mesh-controller: no field colour\nhint: write color\n"},
		},
		{
			"unknown", http.StatusNotFound,
			daemon.APIError{Error: daemon.ErrorBody{Code: "notFound", Message: "agent TWO: not found", Hint: "h"}},
			"pause TWO",
			said{
				exitFailed, "", "mesh-controller: pause through the daemon (process 7): agent TWO: not found\n" +
					"hint: `mesh-controller agents` lists what there is; write a directory with a slash, as in ./project\n",
			},
		},
		{
			"denied", http.StatusOK,
			controller.SyncResult{Converged: true, Counts: controller.Counts{Removed: 2}},
			"deny /p",
			said{0, "denied: /p; 2 agents taken out\n", ""},
		},
		{
			"denied in part", http.StatusOK,
			controller.SyncResult{Failures: []controller.Failure{{ID: "ONE", Path: "/p", Reason: agent.UnknownEvidence, Message: "EIO"}}},
			"deny /p",
			said{
				exitPartial, "denied: /p; 0 agents taken out\n\nID   REASON   PATH  MESSAGE\nONE  Unknown  /p    EIO\n",
				"mesh-controller: 1 agent could not be converged\nhint: `mesh-controller explain ID` says what is in the way; it is tried again by itself where a daemon runs\n",
			},
		},
		{
			"undenied", http.StatusOK,
			controller.SyncResult{Converged: true, Counts: controller.Counts{Discovered: 1}},
			"undeny /p",
			said{0, "no longer denied: /p; 1 agent came in\n", ""},
		},
		{
			"released", http.StatusOK,
			controller.SyncResult{Converged: true, Counts: controller.Counts{Removed: 2}},
			"release /p",
			said{0, "released: /p; 2 agents taken out\nnobody else is missing there\n", ""},
		},
		{
			"all released", http.StatusOK,
			controller.SyncResult{Converged: true, Counts: controller.Counts{Removed: 1}},
			"release --all",
			said{0, "released: every scan root; 1 agent taken out\nnobody else is missing there\n", ""},
		},
		{
			"nothing to release", http.StatusNotFound,
			daemon.APIError{Error: daemon.ErrorBody{Code: "notFound", Message: "/p: not found", Hint: "h"}},
			"release /p",
			said{
				exitFailed, "", "mesh-controller: release through the daemon (process 7): /p: not found\n" +
					"hint: `mesh-controller agents -o wide` lists the scan roots\n",
			},
		},
		{
			"restored", http.StatusOK,
			controller.Outcome{ID: "ONE", Path: "/p", Reason: agent.Resurrected, Message: "the manifest is back", Finished: true, Agent: one},
			"tombstones restore ONE",
			said{0, "brought back ONE at /p, name first, namespace teams\nthe manifest is back\nnext: `mesh-controller explain ONE` shows it from every side\n", ""},
		},
		{
			"nobody to restore", http.StatusNotFound,
			daemon.APIError{Error: daemon.ErrorBody{Code: "notFound", Message: "TWO: not found", Hint: "h"}},
			"tombstones restore TWO",
			said{
				exitFailed, "", "mesh-controller: restore through the daemon (process 7): TWO: not found\n" +
					"hint: `mesh-controller tombstones` lists who can be brought back\n",
			},
		},
		{
			"all paused", http.StatusOK, nil, "pause",
			said{0, "paused: everything\nnext: `mesh-controller resume` ends it; observing goes on\n", ""},
		},
		{
			"one paused", http.StatusOK, nil, "pause ONE",
			said{0, "paused: ONE\nnext: `mesh-controller resume ONE` ends it; observing goes on\n", ""},
		},
		{"resumed", http.StatusOK, nil, "resume /p", said{0, "resumed: /p\nnext: what waited follows, where no daemon runs with the next `mesh-controller sync`\n", ""}},
		{"pause as JSON", http.StatusOK, nil, "pause ONE -o json", said{0, "{\n  \"target\": \"ONE\",\n  \"paused\": true\n}\n", ""}},
		{"resume as YAML", http.StatusOK, nil, "resume -o yaml", said{0, "target: null\npaused: false\n", ""}},
	} {
		c.answers(o.status, o.answer)
		if diff := cmp.Diff(o.want, c.run(strings.Fields(o.typed)...), cmp.AllowUnexported(said{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", o.name, diff)
		}
	}
}

// With -o json the outcome is printed as the daemon gave it; that something is
// left is the error.
func TestOutcomeIsPrintedAsItIs(t *testing.T) {
	c := newClerk(t)
	want := controller.Outcome{ID: "ONE", Path: "/p", Reason: agent.Registered, Message: "the relay is down", Agent: &controller.AgentStatus{ID: "ONE", DuplicatePaths: []string{}}}
	c.answers(http.StatusOK, want)
	printed := c.run("adopt", "/p", "-o", "json")
	var got controller.Outcome
	if err := json.Unmarshal([]byte(printed.stdout), &got); err != nil || printed.code != exitPartial {
		t.Fatalf("%v: %+v", err, printed)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(controller.Time{}, time.Time{})); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	var e daemon.APIError
	if err := json.Unmarshal([]byte(printed.stderr), &e); err != nil || e.Error.Code != "partial" || e.Error.Hint == "" {
		t.Errorf("%v: %s", err, printed.stderr)
	}
}
