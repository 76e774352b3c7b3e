package daemon

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// apiPage is what a test reads of api/openapi.yaml.
type apiPage struct {
	Servers []apiServer
	Paths   map[string]apiPath

	Components struct {
		Schemas map[string]struct{ Enum []string }
	}
}

type apiServer struct{ URL string }

type apiPath struct {
	Servers                  []apiServer
	Get, Post, Patch, Delete *apiOperation
}

type apiOperation struct {
	Servers     []apiServer
	OperationID string `yaml:"operationId"`
	Responses   map[string]any
}

func (p apiPath) operations() map[string]*apiOperation {
	all := map[string]*apiOperation{
		http.MethodGet: p.Get, http.MethodPost: p.Post, http.MethodPatch: p.Patch, http.MethodDelete: p.Delete,
	}
	maps.DeleteFunc(all, func(_ string, o *apiOperation) bool { return o == nil })
	return all
}

func readAPIPage(t *testing.T) *apiPage {
	t.Helper()
	data, err := os.ReadFile("../../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var page apiPage
	if err := yaml.Unmarshal(data, &page); err != nil {
		t.Fatal(err)
	}
	return &page
}

// What is documented is served, and the other way round.
func TestEveryRouteIsDocumented(t *testing.T) {
	page, d := readAPIPage(t), start(t, nil)
	documented := map[string][]string{}
	for path, item := range page.Paths {
		for method, o := range item.operations() {
			servers := page.Servers
			for _, narrower := range [][]apiServer{item.Servers, o.Servers} {
				if narrower != nil {
					servers = narrower
				}
			}
			for _, s := range servers {
				where, prefix := surface(t, s.URL)
				documented[where] = append(documented[where], method+" "+prefix+path)
			}
		}
	}
	served := map[string][]string{"socket": patterns(d.socketRoutes()), "listener": patterns(d.listenerRoutes())}
	for where := range served {
		slices.Sort(documented[where])
		slices.Sort(served[where])
		if diff := cmp.Diff(served[where], documented[where]); diff != "" {
			t.Errorf("%s (-served +documented):\n%s", where, diff)
		}
	}
}

func surface(t *testing.T, url string) (where, prefix string) {
	t.Helper()
	for base, where := range map[string]string{"http://mesh-controller": "socket", "http://127.0.0.1:9648": "listener"} {
		if prefix, ok := strings.CutPrefix(url, base); ok {
			return where, prefix
		}
	}
	t.Fatalf("no server %s", url)
	return "", ""
}

func patterns(routes []route) []string {
	list := make([]string, 0, len(routes))
	for _, r := range routes {
		list = append(list, r.method+" "+strings.TrimSuffix(r.path, "{$}"))
	}
	return list
}

func TestEveryReasonIsInTheAPI(t *testing.T) {
	var want []string
	for _, r := range agent.Reasons() {
		want = append(want, string(r))
	}
	if diff := cmp.Diff(want, readAPIPage(t).Components.Schemas["Reason"].Enum); diff != "" {
		t.Errorf("reasons (-program +page):\n%s", diff)
	}
}

// An operation is known to clients by its id.
func TestOperationsHaveAnIDOfTheirOwn(t *testing.T) {
	seen := map[string]string{}
	for path, item := range readAPIPage(t).Paths {
		for method, o := range item.operations() {
			where := method + " " + path
			if other, taken := seen[o.OperationID]; taken || o.OperationID == "" {
				t.Errorf("%s has the id %q, as has %s", where, o.OperationID, other)
			}
			seen[o.OperationID] = where
			if len(o.Responses) == 0 {
				t.Errorf("%s has no answer", where)
			}
		}
	}
}
