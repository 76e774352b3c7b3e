package daemon

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// serveSync runs one acknowledged resync and answers when it is done.
func (d *Daemon) serveSync(w http.ResponseWriter, r *http.Request) {
	var req controller.SyncRequest
	if err := readOptionalBody(w, r, &req); err != nil {
		writeMisuse(w, err, `send {"targets":["ID or PATH"],"full":false}`)
		return
	}
	req.Trigger = "api"
	result, err := d.parts.loop.Sync(r.Context(), req)
	answer(w, http.StatusOK, result, err)
}

func (d *Daemon) serveRegister(w http.ResponseWriter, r *http.Request) {
	var req controller.RegisterRequest
	err := readBody(w, r, &req)
	if err == nil {
		req.Path, err = placeOf(req.Path)
	}
	if err != nil {
		writeMisuse(w, err, `send {"path":"/project","name":"NAME","runtime":"RUNTIME"}`)
		return
	}
	outcome, err := d.parts.loop.Register(r.Context(), req)
	status := http.StatusOK
	if outcome.Reason == agent.Registered {
		status = http.StatusCreated
	}
	answer(w, status, outcome, err)
}

func (d *Daemon) serveUpdate(w http.ResponseWriter, r *http.Request) {
	var body updateBody
	if err := readBody(w, r, &body); err != nil {
		writeMisuse(w, err, `send {"set":["field=value"]}`)
		return
	}
	outcome, err := d.parts.loop.Update(r.Context(), controller.UpdateRequest{Target: named(r.PathValue("id")), Set: body.Set})
	answer(w, http.StatusOK, outcome, err)
}

// updateBody is an update whose target is in the address.
type updateBody struct {
	Set []string `json:"set"`
}

func (d *Daemon) serveUnregister(w http.ResponseWriter, r *http.Request) {
	req := controller.UnregisterRequest{Target: named(r.PathValue("id"))}
	if text := r.URL.Query().Get("allCopies"); text != "" {
		var err error
		if req.AllCopies, err = strconv.ParseBool(text); err != nil {
			writeMisuse(w, errors.New("allCopies: neither true nor false"), "as in DELETE /v1/agents/ID?allCopies=true")
			return
		}
	}
	outcome, err := d.parts.loop.Unregister(r.Context(), req)
	answer(w, http.StatusOK, outcome, err)
}

func (d *Daemon) serveUndeny(w http.ResponseWriter, r *http.Request) {
	path, err := placeOf(r.URL.Query().Get("path"))
	if err != nil {
		writeMisuse(w, err, "as in DELETE /v1/denials?path=/project")
		return
	}
	result, err := d.parts.loop.Undeny(r.Context(), path)
	answer(w, http.StatusOK, result, err)
}

// pathBody is an order about one project directory.
type pathBody struct {
	Path string `json:"path"`
}

func atPath[T any](do func(context.Context, string) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body pathBody
		err := readBody(w, r, &body)
		if err == nil {
			body.Path, err = placeOf(body.Path)
		}
		if err != nil {
			writeMisuse(w, err, `send {"path":"/project"}`)
			return
		}
		result, err := do(r.Context(), body.Path)
		answer(w, http.StatusOK, result, err)
	}
}

// placeOf is a path as the index knows it: absolute, since a server has no
// working directory of its client's, and real.
func placeOf(path string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("path: is missing")
	case !filepath.IsAbs(path):
		return "", errors.New("path: must be absolute")
	}
	return RealPath(path), nil
}

// named is a target as the index knows it: an id as it is, a path real.
func named(target string) string {
	if filepath.IsAbs(target) {
		return RealPath(target)
	}
	return target
}

// targetBody is an order about one agent, or with "" about everything.
type targetBody struct {
	Target string `json:"target"`
}

func pausing(do func(context.Context, string) error, paused bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body targetBody
		if err := readOptionalBody(w, r, &body); err != nil {
			writeMisuse(w, err, `send {"target":"ID or PATH"}, or nothing for everything`)
			return
		}
		wanted := named(body.Target)
		err := do(r.Context(), wanted)
		answer(w, http.StatusOK, NewPauseStatus(wanted, paused), err)
	}
}

// releaseBody is an order about a scan root, or with null about every one.
type releaseBody struct {
	Root *string `json:"root"`
}

func (d *Daemon) serveRelease(w http.ResponseWriter, r *http.Request) {
	// As text: null has to be said, saying nothing releases nothing.
	var body struct {
		Root jsontext.Value `json:"root"`
	}
	root := ""
	err := readBody(w, r, &body)
	if err == nil {
		root, err = rootOf(body.Root)
	}
	if err != nil {
		writeMisuse(w, err, `send {"root":"/projects"}, or {"root":null} for every root`)
		return
	}
	result, err := d.parts.loop.Release(r.Context(), root)
	answer(w, http.StatusOK, result, err)
}

// rootOf is a scan root as the index knows it, "" for every one.
func rootOf(value jsontext.Value) (string, error) {
	switch value.Kind() {
	case 'n':
		return "", nil
	case '"':
		var root string
		if err := json.Unmarshal(value, &root); err == nil && filepath.IsAbs(root) {
			return RealPath(root), nil
		}
	}
	return "", errors.New("root: must be an absolute path, or null")
}

func (d *Daemon) serveRestore(w http.ResponseWriter, r *http.Request) {
	outcome, err := d.parts.loop.Restore(r.Context(), agent.ID(r.PathValue("id")))
	answer(w, http.StatusOK, outcome, err)
}
