package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// order is what a fake loop was told to do.
type order struct {
	What string
	With any
}

func (l *fakeLoop) told(what string, with any) (controller.Outcome, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.orders = append(l.orders, order{what, with})
	return controller.Outcome{ID: "ONE", Path: "/p", Reason: l.reason, Finished: true}, l.refuse
}

func (l *fakeLoop) Register(_ context.Context, r controller.RegisterRequest) (controller.Outcome, error) {
	return l.told("register", r)
}

func (l *fakeLoop) Update(_ context.Context, r controller.UpdateRequest) (controller.Outcome, error) {
	return l.told("update", r)
}

func (l *fakeLoop) Unregister(_ context.Context, r controller.UnregisterRequest) (controller.Outcome, error) {
	return l.told("unregister", r)
}

func (l *fakeLoop) Reissue(_ context.Context, path string) (controller.Outcome, error) {
	return l.told("reissue", path)
}

func (l *fakeLoop) Adopt(_ context.Context, path string) (controller.Outcome, error) {
	return l.told("adopt", path)
}

func (l *fakeLoop) Deny(_ context.Context, path string) (controller.SyncResult, error) {
	_, err := l.told("deny", path)
	return controller.SyncResult{Converged: true, Failures: []controller.Failure{}}, err
}

func (l *fakeLoop) Undeny(_ context.Context, path string) (controller.SyncResult, error) {
	_, err := l.told("undeny", path)
	return controller.SyncResult{Converged: true, Failures: []controller.Failure{}}, err
}

func (l *fakeLoop) Denials(context.Context) (controller.DenialsResult, error) {
	return controller.DenialsResult{APIVersion: controller.APIVersion, Denials: []controller.Denial{{Path: "/denied", Reason: "said so"}}}, nil
}

func (l *fakeLoop) Pause(_ context.Context, target string) error {
	_, err := l.told("pause", target)
	return err
}

func (l *fakeLoop) Resume(_ context.Context, target string) error {
	_, err := l.told("resume", target)
	return err
}

func (l *fakeLoop) Release(_ context.Context, root string) (controller.SyncResult, error) {
	_, err := l.told("release", root)
	return controller.SyncResult{Converged: true, Failures: []controller.Failure{}}, err
}

func (l *fakeLoop) Restore(_ context.Context, id agent.ID) (controller.Outcome, error) {
	return l.told("restore", id)
}

func (l *fakeLoop) Tombstones(context.Context) (controller.TombstonesResult, error) {
	return controller.TombstonesResult{APIVersion: controller.APIVersion, Tombstones: []controller.Tombstone{{ID: "GONE", Reason: agent.Removed, Mail: true}}}, nil
}

// everyOrder is each order with words that an address or a body could bend.
var everyOrder = []struct {
	want order
	give func(context.Context, Orders) error
}{
	{
		order{"register", controller.RegisterRequest{
			Path: "/a b/ü?x=1", Name: "n", Runtime: "codex", Namespace: new(""), Description: new("<&>"), Capabilities: []string{"a", "b,c"}, Force: true,
		}},
		func(ctx context.Context, o Orders) error {
			_, err := o.Register(ctx, controller.RegisterRequest{
				Path: "/a b/ü?x=1", Name: "n", Runtime: "codex", Namespace: new(""), Description: new("<&>"), Capabilities: []string{"a", "b,c"}, Force: true,
			})
			return err
		},
	},
	{
		order{"update", controller.UpdateRequest{Target: "/a b/%2F?#/c", Set: []string{"name=x", "description="}}},
		func(ctx context.Context, o Orders) error {
			_, err := o.Update(ctx, controller.UpdateRequest{Target: "/a b/%2F?#/c", Set: []string{"name=x", "description="}})
			return err
		},
	},
	{
		order{"unregister", controller.UnregisterRequest{Target: "ONE", AllCopies: true}},
		func(ctx context.Context, o Orders) error {
			_, err := o.Unregister(ctx, controller.UnregisterRequest{Target: "ONE", AllCopies: true})
			return err
		},
	},
	{
		order{"unregister", controller.UnregisterRequest{Target: "/p"}},
		func(ctx context.Context, o Orders) error {
			_, err := o.Unregister(ctx, controller.UnregisterRequest{Target: "/p"})
			return err
		},
	},
	{order{"reissue", "/p"}, func(ctx context.Context, o Orders) error { _, err := o.Reissue(ctx, "/p"); return err }},
	{order{"adopt", "/p"}, func(ctx context.Context, o Orders) error { _, err := o.Adopt(ctx, "/p"); return err }},
	{order{"deny", "/p"}, func(ctx context.Context, o Orders) error { _, err := o.Deny(ctx, "/p"); return err }},
	{order{"undeny", "/a&b=c +d"}, func(ctx context.Context, o Orders) error { _, err := o.Undeny(ctx, "/a&b=c +d"); return err }},
	{order{"pause", ""}, func(ctx context.Context, o Orders) error { return o.Pause(ctx, "") }},
	{order{"pause", "ONE"}, func(ctx context.Context, o Orders) error { return o.Pause(ctx, "ONE") }},
	{order{"resume", "/p"}, func(ctx context.Context, o Orders) error { return o.Resume(ctx, "/p") }},
	{order{"release", ""}, func(ctx context.Context, o Orders) error { _, err := o.Release(ctx, ""); return err }},
	{order{"release", "/a \"b\"ü"}, func(ctx context.Context, o Orders) error { _, err := o.Release(ctx, "/a \"b\"ü"); return err }},
	{order{"restore", agent.ID("ONE")}, func(ctx context.Context, o Orders) error { _, err := o.Restore(ctx, "ONE"); return err }},
	{order{"restore", agent.ID("a/b?c")}, func(ctx context.Context, o Orders) error { _, err := o.Restore(ctx, "a/b?c"); return err }},
}

// What a client says arrives as it was said, and what the loop answers comes
// back as it was meant.
func TestClientCarriesEveryOrder(t *testing.T) {
	r := start(t, nil)
	c := FindDaemon(t.Context(), r.settings)
	if c == nil {
		t.Fatal("the daemon is not found")
	}
	defer c.Close()
	answers := []error{
		nil,
		&controller.Refusal{Message: "another lives there", Hint: "use --force"},
		&controller.Refusal{Usage: true, Message: "no such field", Hint: "use one"},
	}
	for _, o := range everyOrder {
		for _, want := range answers {
			r.loop.set(agent.Updated, want)
			err := o.give(t.Context(), c)
			if diff := cmp.Diff(want, err); diff != "" {
				t.Errorf("%s: error (-want +got):\n%s", o.want.What, diff)
			}
			if diff := cmp.Diff([]order{o.want}, r.loop.take()); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		}
		r.loop.set("", controller.ErrNotFound)
		if err := o.give(t.Context(), c); !errors.Is(err, controller.ErrNotFound) {
			t.Errorf("%s: error %v, want %v", o.want.What, err, controller.ErrNotFound)
		}
		r.loop.set("", errors.New("the disk is full"))
		if err := o.give(t.Context(), c); err == nil || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), o.want.What) {
			t.Errorf("%s: error %v", o.want.What, err)
		}
		r.loop.take()
	}
}

// set is how the next orders end.
func (l *fakeLoop) set(reason agent.Reason, refuse error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reason, l.refuse = reason, refuse
}

// take returns the orders up to now.
func (l *fakeLoop) take() []order {
	l.mu.Lock()
	defer l.mu.Unlock()
	orders := l.orders
	l.orders = nil
	return orders
}

// exchange is a request with the answer's code; its error has to be one.
type exchange struct {
	method, address, kind, body string
	code                        int
}

func (r *rig) exchange(t *testing.T, e exchange) (string, APIError) {
	t.Helper()
	c := newClient(r.socketPath())
	defer c.Close()
	req, err := http.NewRequestWithContext(t.Context(), e.method, "http://x"+e.address, strings.NewReader(e.body))
	if err != nil {
		t.Fatal(err)
	}
	if e.kind != "" {
		req.Header.Set("Content-Type", e.kind)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var failure APIError
	_ = json.Unmarshal(body, &failure) // a success has none
	if resp.StatusCode != e.code || (e.code >= 400) != (failure.Error.Hint != "") {
		t.Errorf("%s %s %.60s: %d %+v, want %d", e.method, e.address, e.body, resp.StatusCode, failure, e.code)
	}
	return string(body), failure
}

func TestOrdersAreUnderstoodOrRefused(t *testing.T) {
	const json = "application/json"
	r := start(t, nil)
	large := `{"path":"/p","name":"` + strings.Repeat("n", maxBody) + `"}`
	for _, e := range []exchange{
		{"POST", "/v1/agents", json, `{"path":"/p"}`, 200},
		{"POST", "/v1/agents", json + "; charset=utf-8", `{"path":"/p"}`, 200},
		{"POST", "/v1/agents", "", `{"path":"/p"}`, 415},
		{"POST", "/v1/agents", "text/plain", `{"path":"/p"}`, 415},
		{"POST", "/v1/agents", "application/x-www-form-urlencoded", `path=/p`, 415},
		{"POST", "/v1/agents", json, large, 413},
		{"POST", "/v1/agents", json, ``, 400},
		{"POST", "/v1/agents", json, `{"path":"p"}`, 400},
		{"POST", "/v1/agents", json, `{"name":"n"}`, 400},
		{"POST", "/v1/agents", json, `{"path":"/p","nam":"n"}`, 400},
		{"POST", "/v1/agents", json, `{"Path":"/p"}`, 400},
		{"POST", "/v1/agents", json, `{"path":"/p","path":"/q"}`, 400},
		{"POST", "/v1/agents", json, `{"path":"/p"} x`, 400},
		{"POST", "/v1/agents", json, `{"path":"/p"}{}`, 400},
		{"POST", "/v1/agents", json, `{"path":7}`, 400},
		{"POST", "/v1/agents", json, "{\"path\":\"/\xff\"}", 400},
		{"POST", "/v1/agents", json, `["/p"]`, 400},
		{"PATCH", "/v1/agents/ONE", json, `{"set":["a=b"]}`, 200},
		{"PATCH", "/v1/agents/%2Fp", json, `{"set":[]}`, 200},
		{"PATCH", "/v1/agents/ONE", json, `{"target":"TWO","set":[]}`, 400},
		{"PATCH", "/v1/agents/ONE", "text/plain", `{"set":[]}`, 415},
		{"DELETE", "/v1/agents/ONE?allCopies=perhaps", "", ``, 400},
		{"DELETE", "/v1/agents/ONE?allCopies=false", "", ``, 200},
		{"POST", "/v1/reissue", json, `{}`, 400},
		{"POST", "/v1/adopt", json, `{"path":"./p"}`, 400},
		{"POST", "/v1/denials", json, `{"path":"/p","reason":"x"}`, 400},
		{"DELETE", "/v1/denials", "", ``, 400},
		{"DELETE", "/v1/denials?path=p", "", ``, 400},
		{"POST", "/v1/pause", "", ``, 200},
		{"POST", "/v1/pause", json, `{"targets":"ONE"}`, 400},
		{"POST", "/v1/resume", "text/plain", `{"target":"ONE"}`, 415},
		{"POST", "/v1/release", json, `{"root":null}`, 200},
		{"POST", "/v1/release", json, `{"root":"/r"}`, 200},
		{"POST", "/v1/release", "", ``, 400}, // not everything by saying nothing
		{"POST", "/v1/release", json, `{}`, 400},
		{"POST", "/v1/release", json, `{"root":""}`, 400},
		{"POST", "/v1/release", json, `{"root":"r"}`, 400},
		{"POST", "/v1/release", json, `{"root":["/r"]}`, 400},
		{"POST", "/v1/release", json, `{"root":"/r","path":"/r"}`, 400},
		{"POST", "/v1/release", "text/plain", `{"root":null}`, 415},
		{"POST", "/v1/tombstones/ONE/restore", "", ``, 200},
		{"POST", "/v1/tombstones/ONE/restore", json, `{}`, 200},
	} {
		before := len(r.loop.take())
		_, failure := r.exchange(t, e)
		if told := r.loop.take(); (len(told) == 1) != (e.code < 400) {
			t.Errorf("%+v: %d orders before, now %v", e, before, told)
		}
		if strings.Contains(failure.Error.Message, "Go ") || strings.Contains(failure.Error.Message, "controller.") {
			t.Errorf("%s: the message speaks of our types: %s", e.body, failure.Error.Message)
		}
	}
}

// Whatever a path is written like, the index knows one of its names.
func TestOrdersTakePathsAsTheyAreRecorded(t *testing.T) {
	r := start(t, nil)
	dir := RealPath(t.TempDir())
	if err := os.Symlink(dir, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	written := dir + "/link/./x/../p/"
	body := fmt.Sprintf(`{"path":%q}`, written)
	target := "/v1/agents/" + url.PathEscape(written)
	for _, e := range []exchange{
		{"POST", "/v1/agents", "application/json", body, 200},
		{"PATCH", target, "application/json", `{"set":[]}`, 200},
		{"DELETE", target, "", "", 200},
		{"POST", "/v1/reissue", "application/json", body, 200},
		{"POST", "/v1/adopt", "application/json", body, 200},
		{"POST", "/v1/denials", "application/json", body, 200},
		{"DELETE", "/v1/denials?path=" + url.QueryEscape(written), "", "", 200},
		{"POST", "/v1/pause", "application/json", strings.ReplaceAll(body, "path", "target"), 200},
		{"POST", "/v1/release", "application/json", strings.ReplaceAll(body, "path", "root"), 200},
	} {
		r.exchange(t, e)
		told := fmt.Sprintf("%+v", r.loop.take())
		if !strings.Contains(told, dir+"/p") || strings.Contains(told, "link") || strings.Contains(told, dir+"/p/") {
			t.Errorf("%s %s: told %s", e.method, e.address, told)
		}
	}
}

func TestRegisteringIsCreating(t *testing.T) {
	r := start(t, nil)
	register := func(code int) {
		t.Helper()
		r.exchange(t, exchange{"POST", "/v1/agents", "application/json", `{"path":"/p"}`, code})
	}
	r.loop.set(agent.Registered, nil)
	register(http.StatusCreated)
	r.loop.set(agent.InSync, nil)
	register(http.StatusOK)
	r.loop.set(agent.Registered, &controller.Refusal{Message: "no", Hint: "do"})
	register(http.StatusConflict)
}

func TestPauseAnswersWhatIsPaused(t *testing.T) {
	r := start(t, nil)
	for body, want := range map[string]string{
		"":                 `{"target":null,"paused":true}`,
		`{"target":"ONE"}`: `{"target":"ONE","paused":true}`,
	} {
		got, _ := r.exchange(t, exchange{"POST", "/v1/pause", "application/json", body, 200})
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(got)); err != nil || compact.String() != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// The listener only answers questions: no order reaches the loop by it, under
// no address of the socket's.
func TestListenerTakesNoOrder(t *testing.T) {
	r := start(t, nil)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, o := range r.orderRoutes() {
		for _, prefix := range []string{"", "/api"} {
			for _, method := range []string{o.method, "POST", "PUT", "PATCH", "DELETE"} {
				address := "http://" + r.tcp.Addr().String() + prefix + strings.ReplaceAll(o.path, "{id}", "ONE")
				req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(`{"path":"/p"}`))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusMethodNotAllowed && resp.StatusCode != http.StatusNotFound {
					t.Errorf("%s %s: %d", method, address, resp.StatusCode)
				}
			}
		}
	}
	if told := r.loop.take(); told != nil {
		t.Errorf("orders arrived: %v", told)
	}
	if len(r.loop.requests) > 0 {
		t.Error("a sync arrived")
	}
}
