package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// fakeLoop does what a test wants instead of converging.
type fakeLoop struct {
	ready    chan struct{}
	run      func(ctx context.Context) error
	requests chan controller.SyncRequest
	triggers chan bool

	mu     sync.Mutex
	orders []order
	reason agent.Reason // what orders come to
	refuse error
}

func newFakeLoop() *fakeLoop {
	return &fakeLoop{
		ready:    make(chan struct{}),
		run:      func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		requests: make(chan controller.SyncRequest, 1),
		triggers: make(chan bool, 1),
	}
}

func (l *fakeLoop) Run(ctx context.Context) error { return l.run(ctx) }
func (l *fakeLoop) Trigger(_ string, full bool)   { l.triggers <- full }
func (l *fakeLoop) Ready() <-chan struct{}        { return l.ready }
func (l *fakeLoop) Progress() time.Time           { return time.Now() }

func (l *fakeLoop) Sync(_ context.Context, req controller.SyncRequest) (controller.SyncResult, error) {
	l.requests <- req
	if len(req.Targets) == 1 && req.Targets[0] == "NOBODY" {
		return controller.SyncResult{}, controller.ErrNotFound
	}
	return controller.SyncResult{Converged: true, Full: req.Full}, nil
}

func (l *fakeLoop) Plan(context.Context, controller.PlanRequest) (controller.PlanResult, error) {
	return controller.PlanResult{}, nil
}

func (l *fakeLoop) Agents(context.Context) (controller.AgentsResult, error) {
	return controller.AgentsResult{
		APIVersion: controller.APIVersion,
		Agents:     []controller.AgentStatus{{ID: "ONE", Name: "first"}},
		Problems:   []controller.ProblemStatus{{Path: "/p", Reason: agent.DuplicateID}},
	}, nil
}

func (l *fakeLoop) Explain(context.Context, string) (controller.Explanation, error) {
	return controller.Explanation{}, nil
}

type fakeHistory struct {
	asked atomic.Pointer[agent.EventFilter]
}

func (h *fakeHistory) Events(_ context.Context, f agent.EventFilter) ([]agent.Event, error) {
	h.asked.Store(&f)
	return []agent.Event{{ID: "ONE", Reason: agent.Discovered}}, nil
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) { b.mu.Lock(); defer b.mu.Unlock(); return b.b.Write(p) }

func (b *buffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// rig is a daemon on a fake loop, with real listeners.
type rig struct {
	*Daemon
	loop     *fakeLoop
	history  *fakeHistory
	settings *Settings
	log      *buffer
	closed   atomic.Int32
	unlocked atomic.Int32
	stop     context.CancelFunc
	ended    chan struct{}
	err      error // of Run, once it ended
}

func start(t *testing.T, change func(*rig)) *rig {
	t.Helper()
	w := newWorld(t)
	w.flags["listen-address"] = []string{"127.0.0.1:0"}
	r := &rig{loop: newFakeLoop(), history: &fakeHistory{}, settings: w.load(t), log: &buffer{}, ended: make(chan struct{})}
	ok := func(context.Context) error { return nil }
	p := &parts{
		loop: r.loop, history: r.history, metrics: newTelemetry(Build{}), now: time.Now,
		written:  func() time.Time { return time.Time{} },
		writable: ok, check: ok, relayReadable: ok, reload: func(*Config) error { return nil },
		close: func() error { r.closed.Add(1); return nil },
	}
	r.Daemon = newDaemon(r.settings, Build{Version: "v1"}, NewLog(r.log, "info", "json"), p)
	r.unlock = func() error { r.unlocked.Add(1); return nil }
	if change != nil {
		change(r)
	}
	if err := r.listen(); err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(t.Context())
	go func() {
		r.err = r.Run(ctx)
		close(r.ended)
	}()
	t.Cleanup(func() { _ = r.end(t) })
	return r
}

// end stops the daemon and returns what Run says.
func (r *rig) end(t *testing.T) error {
	t.Helper()
	r.stop()
	select {
	case <-r.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
	return r.err
}

func (r *rig) get(t *testing.T, path string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + r.tcp.Addr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestRunLetsGoOfEverything(t *testing.T) {
	r := start(t, nil)
	close(r.loop.ready)
	if code, _ := r.get(t, "/readyz"); code != 200 {
		t.Errorf("readyz: %d", code)
	}
	// It is told beside the answer: a stop in between comes before it.
	for until := time.Now().Add(20 * time.Second); !strings.Contains(r.log.String(), `"event":"Ready"`) && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	path := r.socketPath()
	if err := r.end(t); err != nil {
		t.Errorf("a stop that was asked for is an error: %v", err)
	}
	if r.closed.Load() != 1 || r.unlocked.Load() != 1 {
		t.Errorf("index let go %d times, lock %d times", r.closed.Load(), r.unlocked.Load())
	}
	if _, err := net.Dial("unix", path); err == nil {
		t.Error("the socket still answers")
	}
	for _, event := range []string{"Starting", "Ready", "Stopping", "Stopped"} {
		if !strings.Contains(r.log.String(), `"event":"`+event+`"`) {
			t.Errorf("no event %s in\n%s", event, r.log)
		}
	}
}

// Keys in hand that hang, an index that does not close: the lock is given up
// nevertheless, in time.
func TestRunEndsInTimeWhateverHangs(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	r := start(t, func(r *rig) {
		r.loop.run = func(context.Context) error { <-hang; return nil }
		r.parts.close = func() error { <-hang; return nil }
	})
	began := time.Now()
	if err := r.end(t); err != nil {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	if r.unlocked.Load() != 1 {
		t.Error("the lock is still held")
	}
	if !strings.Contains(r.log.String(), "left behind") {
		t.Errorf("nothing is said about it:\n%s", r.log)
	}
}

func TestRunEndsWithItsLoop(t *testing.T) {
	broken := errors.New("broken")
	r := start(t, func(r *rig) { r.loop.run = func(context.Context) error { return broken } })
	<-r.ended
	if !errors.Is(r.err, broken) {
		t.Errorf("error %v, want the loop's", r.err)
	}
	if r.unlocked.Load() != 1 {
		t.Error("the lock is still held")
	}
}

func TestListenerServes(t *testing.T) {
	r := start(t, nil)
	for path, want := range map[string]string{
		"/":                     "mesh-controller: first sweep running",
		"/healthz":              "ok",
		"/metrics":              "mesh_controller_build_info",
		"/api/v1/agents":        `"name": "first"`,
		"/api/v1/agents/ONE":    `"id": "ONE"`,
		"/api/v1/problems":      `"reason": "DuplicateID"`,
		"/api/v1/status":        `"version": "v1"`,
		"/api/v1/events?id=ONE": `"reason": "Discovered"`,
	} {
		if code, body := r.get(t, path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, want %q in\n%s", path, code, want, body)
		}
	}
	if f := r.history.asked.Load(); f == nil || f.ID != "ONE" || f.Limit != defaultEvents {
		t.Errorf("events were asked for with %+v", f)
	}
	for path, want := range map[string]int{
		"/api/v1/agents/TWO": 404, "/api/v1/events?limit=x": 400, "/api/v1/events?since=x": 400,
		"/v1/sync": 404, "/debug/pprof/": 404, "/nothing": 404, "/readyz": 503,
	} {
		if code, _ := r.get(t, path); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

func TestClientFindsTheDaemonOfItsIndex(t *testing.T) {
	r := start(t, nil)
	c := FindDaemon(t.Context(), r.settings)
	if c == nil {
		t.Fatal("the daemon is not found")
	}
	defer c.Close()
	result, err := c.Sync(t.Context(), controller.SyncRequest{Targets: []string{"ONE"}, Full: true})
	if err != nil || !result.Converged || !result.Full {
		t.Errorf("sync: %+v, %v", result, err)
	}
	want := controller.SyncRequest{Targets: []string{"ONE"}, Full: true, Trigger: "api"}
	if diff := cmp.Diff(want, <-r.loop.requests, cmp.AllowUnexported(want)); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if _, err := c.Sync(t.Context(), controller.SyncRequest{Targets: []string{"NOBODY"}}); !errors.Is(err, controller.ErrNotFound) {
		t.Errorf("error %v, want %v", err, controller.ErrNotFound)
	}
	other := *r.settings
	other.DB = filepath.Join(t.TempDir(), "other.db")
	if c := FindDaemon(t.Context(), &other); c != nil {
		t.Error("a daemon of another index is taken for one's own")
	}
}

// Two indexes of one user share the default socket: the second daemon serves
// its fallback, and clients find it there.
func TestSecondIndexUsesTheFallback(t *testing.T) {
	first := start(t, nil)
	second := start(t, func(r *rig) {
		r.settings.SocketFallback = r.settings.Socket
		r.settings.Socket = first.socketPath()
	})
	if second.socketPath() != second.settings.SocketFallback {
		t.Errorf("socket %s", second.socketPath())
	}
	c := FindDaemon(t.Context(), second.settings)
	if c == nil {
		t.Fatal("the second daemon is not found")
	}
	defer c.Close()
	if c.Status.DB != second.settings.DB {
		t.Errorf("found the daemon of %s", c.Status.DB)
	}
}

func TestSyncOnTheSocketIsChecked(t *testing.T) {
	r := start(t, nil)
	for body, want := range map[string]int{`{"ful":true}`: 400, `[]`: 400, `{"full":true}`: 200, ``: 200} {
		r.exchange(t, exchange{"POST", "/v1/sync", "application/json", body, want})
		if want == 200 {
			<-r.loop.requests
		}
	}
}

func TestReload(t *testing.T) {
	var applied atomic.Pointer[Config]
	r := start(t, func(r *rig) {
		r.parts.reload = func(c *Config) error { applied.Store(c); return nil }
	})
	next := *r.settings
	next.ResyncInterval, next.EnablePprof, next.LogLevel = time.Hour, true, "debug"
	next.DB, next.Workers, next.Socket = "/other.db", 9, "/other.sock"
	restart, err := r.Reload(&next)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"db", "workers", "socket"}, restart); diff != "" {
		t.Errorf("take a restart (-want +got):\n%s", diff)
	}
	c := applied.Load()
	if c.ResyncInterval != time.Hour || c.DB != r.settings.DB || c.Workers != r.settings.Workers {
		t.Errorf("applied %+v", c)
	}
	if code, _ := r.get(t, "/debug/pprof/"); code != 200 {
		t.Errorf("pprof: %d after it was enabled", code)
	}
	// What takes a restart is still named the next time.
	if restart, err = r.Reload(&next); err != nil || len(restart) != 3 {
		t.Errorf("the second time %v, %v", restart, err)
	}
	r.parts.reload = func(*Config) error { return errors.New("no") }
	if _, err := r.Reload(r.settings); err == nil || r.config().ResyncInterval != time.Hour {
		t.Errorf("error %v, interval %s: what cannot be applied changes nothing", err, r.config().ResyncInterval)
	}
	r.Resync()
	if full := <-r.loop.triggers; !full {
		t.Error("a resync by signal is a full one")
	}
}
