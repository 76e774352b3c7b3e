package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v3"
)

// apiPage is api/openapi.yaml, with which every answer is compared.
type apiPage struct {
	t          *testing.T
	paths      map[string]any
	components map[string]any
	// left are the operations and their successes that no test has seen.
	left map[string]bool
}

func readAPIPage(t *testing.T) *apiPage {
	t.Helper()
	text, err := os.ReadFile("../../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var page map[string]any
	if err := yaml.Unmarshal(text, &page); err != nil {
		t.Fatal(err)
	}
	p := &apiPage{t, object(page["paths"]), object(page["components"]), map[string]bool{}}
	for _, item := range p.paths {
		for _, o := range object(item) {
			for code := range object(object(o)["responses"]) {
				if strings.HasPrefix(code, "2") {
					p.left[fmt.Sprint(object(o)["operationId"], " ", code)] = true
				}
			}
		}
	}
	return p
}

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }

// fits compares an answer with what is documented of a path and method.
func (p *apiPage) fits(method, path string, a answer) {
	p.t.Helper()
	o := object(object(p.paths[path])[strings.ToLower(method)])
	code := strconv.Itoa(a.code)
	where := fmt.Sprintf("%s %s: %s", method, path, code)
	response, documented := object(o["responses"])[code]
	if !documented {
		p.t.Errorf("%s is not documented: %s", where, a.body)
		return
	}
	delete(p.left, fmt.Sprint(o["operationId"], " ", code))
	content := object(p.resolve(response)["content"])
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	media, documented := content[kind]
	if !documented {
		p.t.Errorf("%s: the type %q is not documented", where, kind)
		return
	}
	if kind == "application/json" {
		p.validate(where, object(media)["schema"], a.body)
	}
}

// resolve follows a reference.
func (p *apiPage) resolve(v any) map[string]any {
	m := object(v)
	ref, ok := m["$ref"].(string)
	if !ok {
		return m
	}
	words := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
	return object(object(p.components[words[0]])[words[1]])
}

// validate takes the schema at its word: a key that it does not name is one too
// many here, although clients have to bear with it.
func (p *apiPage) validate(where string, schema any, body string) {
	p.t.Helper()
	whole := map[string]any{"allOf": []any{schema}, "$defs": p.components["schemas"]}
	text, err := json.Marshal(closed(whole))
	if err != nil {
		p.t.Fatal(err)
	}
	text = []byte(strings.ReplaceAll(string(text), "#/components/schemas/", "#/$defs/"))
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		p.t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		p.t.Errorf("%s: %v: %s", where, err, body)
	} else if err := resolved.Validate(v); err != nil {
		p.t.Errorf("%s: %v: %s", where, err, body)
	}
}

// closed is a schema in which objects have the keys that are listed and no
// others.
func closed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			out[key] = closed(value)
		}
		if v["type"] == "object" {
			out["additionalProperties"] = false
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			out = append(out, closed(e))
		}
		return out
	}
	return v
}

// Whatever a running daemon answers is as api/openapi.yaml says, and every
// success in it has been seen.
func TestAnswersAreAsDocumented(t *testing.T) {
	w := troubled(t)
	p, d := readAPIPage(t), w.start()
	ask := func(method, path, address, body string, code int) {
		t.Helper()
		a := d.order(method, address, body)
		if a.code != code {
			t.Errorf("%s %s %s: %d, want %d: %s", method, address, body, a.code, code, a.body)
		}
		p.fits(method, path, a)
	}
	get := func(address string, code int) {
		t.Helper()
		path, _, _ := strings.Cut(address, "?")
		ask(http.MethodGet, path, address, "", code)
	}
	post := func(path, body string, code int) { t.Helper(); ask(http.MethodPost, path, path, body, code) }
	place := func(project string) string { return fmt.Sprintf(`{"path":%q}`, w.project(project)) }
	const one = "/v1/agents/{id}"
	here := func(project string) string { return "/v1/agents/" + url.PathEscape(w.project(project)) }
	denial := "/v1/denials?path=" + url.QueryEscape(w.project("p003"))

	for _, address := range []string{"/v1/status", "/v1/agents", "/v1/problems", "/v1/events", "/v1/events?limit=1", "/v1/denials", "/v1/tombstones"} {
		get(address, 200)
	}
	get("/v1/events?limit=0", 400)
	ask(http.MethodGet, one, "/v1/agents/"+agentID(0), "", 200)
	ask(http.MethodGet, one, "/v1/agents/NOBODY", "", 404)
	for path, wants := range map[string][]string{"/": {""}, "/metrics": {"", "application/openmetrics-text"}, "/healthz": {""}, "/readyz": {""}} {
		for _, accept := range wants {
			p.fits(http.MethodGet, path, d.request(http.MethodGet, path, http.Header{"Accept": {accept}}, ""))
		}
	}
	p.fits(http.MethodGet, "/debug/pprof/", d.request(http.MethodGet, "/debug/pprof/", nil, ""))
	delete(p.left, "getProfiles 200") // not enabled

	w.must(os.MkdirAll(w.project("new"), 0o700))
	post("/v1/sync", `{"full":true}`, 200)
	post("/v1/sync", `{"targets":["NOBODY"]}`, 404)
	post("/v1/agents", place("new"), 400)
	post("/v1/agents", fmt.Sprintf(`{"path":%q,"name":"new","runtime":"codex"}`, w.project("new")), 201)
	post("/v1/agents", place("new"), 200)
	post("/v1/agents", place("nowhere"), 409)
	ask(http.MethodPatch, one, here("new"), `{"set":["name=newer"]}`, 200)
	ask(http.MethodPatch, one, here("new"), `{"set":["colour=red"]}`, 400)
	ask(http.MethodPatch, one, "/v1/agents/NOBODY", `{"set":["color=red"]}`, 404)
	post("/v1/adopt", place("copy"), 200)
	post("/v1/adopt", place("p002"), 409)
	post("/v1/reissue", place("p000"), 200)
	post("/v1/reissue", `{"path":"p000"}`, 400)
	post("/v1/denials", place("p003"), 200)
	get("/v1/denials", 200)
	ask(http.MethodDelete, "/v1/denials", denial, "", 200)
	ask(http.MethodDelete, "/v1/denials", denial, "", 404)
	ask(http.MethodDelete, one, here("new"), "", 200)
	ask(http.MethodDelete, one, here("new"), "", 404)
	get("/v1/tombstones", 200)
	const back = "/v1/tombstones/{id}/restore"
	gone := decode[tombstonesView](w, d.order(http.MethodGet, "/v1/tombstones", "").body).Tombstones
	if len(gone) == 0 {
		t.Fatal("nobody left the index")
	}
	ask(http.MethodPost, back, "/v1/tombstones/"+gone[0].ID+"/restore", "", 200)
	ask(http.MethodPost, back, "/v1/tombstones/"+gone[0].ID+"/restore", "", 409)
	ask(http.MethodPost, back, "/v1/tombstones/NOBODY/restore", "", 404)
	post("/v1/release", `{"root":null}`, 200)
	post("/v1/release", fmt.Sprintf(`{"root":%q}`, w.projects), 200)
	post("/v1/release", place("p000"), 400)
	post("/v1/release", fmt.Sprintf(`{"root":%q}`, w.project("p000")), 404)
	post("/v1/pause", fmt.Sprintf(`{"target":%q}`, agentID(4)), 200)
	post("/v1/pause", `{"target":"NOBODY"}`, 404)
	get("/v1/agents", 200)
	post("/v1/resume", `{"target":"`+agentID(4)+`"}`, 200)
	post("/v1/pause", "", 200)
	post("/v1/resume", "", 200)

	var left []string
	for o := range p.left {
		left = append(left, o)
	}
	slices.Sort(left)
	if left != nil {
		t.Errorf("not seen: %v", left)
	}
}
