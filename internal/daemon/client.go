package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// Client talks to a running daemon through its unix socket.
type Client struct {
	http *http.Client
	// Status is what the daemon answered when it was found.
	Status Status
}

// origin of every address; the name is for nobody, the socket is known.
const origin = "http://mesh-controller"

// statusWithin bounds the question whether a daemon is there.
const statusWithin = 3 * time.Second

// FindDaemon returns a client of the daemon that works on the index of s, or
// nil: a daemon of another index counts as none.
func FindDaemon(ctx context.Context, s *Settings) *Client {
	for _, path := range []string{s.Socket, s.SocketFallback} {
		if path == "" {
			continue
		}
		c := newClient(path)
		if err := c.get(ctx, statusWithin, "/v1/status", &c.Status); err == nil && sameIndex(c.Status.DB, s.DB) {
			return c
		}
		c.Close()
	}
	return nil
}

func sameIndex(a, b string) bool { return RealPath(a) == RealPath(b) }

func newClient(path string) *Client {
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialOwn(ctx, path) },
	}}}
}

// dialOwn connects to a socket that this user serves: whoever else does could
// read what is sent.
func dialOwn(ctx context.Context, path string) (net.Conn, error) {
	conn, err := dialSocket(ctx, path)
	if err != nil {
		return nil, err
	}
	if unixConn, ok := conn.(*net.UnixConn); ok {
		if err := samePeer(unixConn); err != nil {
			return nil, errors.Join(fmt.Errorf("socket %s: %w", path, err), conn.Close())
		}
	}
	return conn, nil
}

// Close drops the connections that are kept for the next question.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) get(ctx context.Context, within time.Duration, path string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+path, http.NoBody)
	if err != nil {
		return err
	}
	return c.do(r, out)
}

func (c *Client) do(r *http.Request, out any) error {
	resp, err := c.http.Do(r)
	if err != nil {
		if cause := context.Cause(r.Context()); cause != nil {
			return cause
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		return answered(resp)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// answered turns an error that came as an answer back into one.
func answered(resp *http.Response) error {
	var e APIError
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil || e.Error.Message == "" {
		return errors.New(resp.Status)
	}
	switch e.Error.Code {
	case codeUsage, codeRefused:
		return &controller.Refusal{Usage: e.Error.Code == codeUsage, Message: e.Error.Message, Hint: e.Error.Hint}
	case codeNotFound:
		return &remoteError{e.Error.Message, controller.ErrNotFound}
	}
	return errors.New(e.Error.Message)
}

// remoteError reads as the daemon said it and is what the daemon meant.
type remoteError struct {
	message string
	is      error
}

func (e *remoteError) Error() string { return e.message }
func (e *remoteError) Unwrap() error { return e.is }
