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

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// Orders are carried out by the daemon; they wait as long as ctx lets them.

// Sync runs one acknowledged resync.
func (c *Client) Sync(ctx context.Context, req controller.SyncRequest) (controller.SyncResult, error) {
	return send[controller.SyncResult](ctx, c, "sync", http.MethodPost, "/v1/sync", req)
}

// Register makes or takes an agent at a project directory.
func (c *Client) Register(ctx context.Context, req controller.RegisterRequest) (controller.Outcome, error) {
	return send[controller.Outcome](ctx, c, "register", http.MethodPost, "/v1/agents", req)
}

// Update writes fields of an agent's manifest.
func (c *Client) Update(ctx context.Context, req controller.UpdateRequest) (controller.Outcome, error) {
	return send[controller.Outcome](ctx, c, "update", http.MethodPatch, agentAddress(req.Target), updateBody{req.Set})
}

// Unregister ends an agent.
func (c *Client) Unregister(ctx context.Context, req controller.UnregisterRequest) (controller.Outcome, error) {
	address := agentAddress(req.Target)
	if req.AllCopies {
		address += "?allCopies=true"
	}
	return send[controller.Outcome](ctx, c, "unregister", http.MethodDelete, address, nil)
}

// Reissue gives the agent at a path a new id.
func (c *Client) Reissue(ctx context.Context, path string) (controller.Outcome, error) {
	return send[controller.Outcome](ctx, c, "reissue", http.MethodPost, "/v1/reissue", pathBody{path})
}

// Adopt makes a path the home of the id that it carries.
func (c *Client) Adopt(ctx context.Context, path string) (controller.Outcome, error) {
	return send[controller.Outcome](ctx, c, "adopt", http.MethodPost, "/v1/adopt", pathBody{path})
}

// Deny puts a path on the deny list.
func (c *Client) Deny(ctx context.Context, path string) (controller.SyncResult, error) {
	return send[controller.SyncResult](ctx, c, "deny", http.MethodPost, "/v1/denials", pathBody{path})
}

// Undeny takes a path off the deny list.
func (c *Client) Undeny(ctx context.Context, path string) (controller.SyncResult, error) {
	address := "/v1/denials?" + url.Values{"path": {path}}.Encode()
	return send[controller.SyncResult](ctx, c, "undeny", http.MethodDelete, address, nil)
}

// Pause stops converging.
func (c *Client) Pause(ctx context.Context, target string) error {
	_, err := send[PauseStatus](ctx, c, "pause", http.MethodPost, "/v1/pause", targetBody{target})
	return err
}

// Resume starts converging again.
func (c *Client) Resume(ctx context.Context, target string) error {
	_, err := send[PauseStatus](ctx, c, "resume", http.MethodPost, "/v1/resume", targetBody{target})
	return err
}

// Release ends the mass-disappearance hold of a scan root, or of every one.
func (c *Client) Release(ctx context.Context, root string) (controller.SyncResult, error) {
	var body releaseBody
	if root != "" {
		body.Root = &root
	}
	return send[controller.SyncResult](ctx, c, "release", http.MethodPost, "/v1/release", body)
}

// Restore brings an agent back that left the index.
func (c *Client) Restore(ctx context.Context, id agent.ID) (controller.Outcome, error) {
	address := "/v1/tombstones/" + url.PathEscape(string(id)) + "/restore"
	return send[controller.Outcome](ctx, c, "restore", http.MethodPost, address, nil)
}

// agentAddress names an agent by its id, or by its path as one segment.
func agentAddress(target string) string { return "/v1/agents/" + url.PathEscape(target) }

// send carries one order to the daemon; body nil is none. What the daemon
// refuses reads as if it had been refused here.
func send[T any](ctx context.Context, c *Client, what, method, address string, body any) (T, error) {
	var result T
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return result, err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, origin+address, content)
	if err != nil {
		return result, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	err = c.do(r, &result)
	if _, refused := errors.AsType[*controller.Refusal](err); err == nil || refused {
		return result, err
	}
	return result, fmt.Errorf("%s through the daemon (process %d): %w", what, c.Status.PID, err)
}
