package archtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// adapters stand on the far side of a port.
var adapters = []string{"pkg/sources", "pkg/store", "pkg/relay", "pkg/metrics"}

// rule limits the imports of the packages at and below path.
type rule struct {
	path string
	// except: packages below path to which another rule applies.
	except []string
	// only, when set, are all packages of this module that may be imported.
	only []string
	// never are packages that may not be imported, nor what lies below them.
	never []string
	// unless are exceptions to never.
	unless []string
}

// none of the module's packages.
var none = []string{""}

// effects are packages that read or write the world. What decides has no use
// for them.
var effects = []string{
	"os", "os/exec", "os/signal", "syscall", "net", "net/http", "database/sql", "log", "log/slog",
	"io/ioutil", "math/rand", "golang.org/x/sys", "go.uber.org", "k8s.io", "github.com/ncruces", "github.com/prometheus",
}

var rules = []rule{
	{path: "pkg/agent", only: none, never: effects},
	{path: "pkg/controller/plan", only: []string{"pkg/agent"}, never: effects},
	{
		path:   "pkg/controller",
		except: []string{"pkg/controller/plan"},
		never:  append([]string{"internal/daemon", "cmd"}, adapters...),
		unless: []string{"pkg/relay"}, // the contract, not a backend
	},
	{path: "pkg/sources", never: adapterMayNot("pkg/sources")},
	{path: "pkg/store", never: adapterMayNot("pkg/store")},
	{path: "pkg/relay", never: adapterMayNot("pkg/relay")},
	{path: "pkg/metrics", never: adapterMayNot("pkg/metrics")},
	{path: "internal/atomicfile", never: []string{"pkg/controller", "internal/daemon", "cmd", "pkg/sources", "pkg/store", "pkg/relay", "pkg/metrics"}},
	{path: "internal/daemon", never: []string{"cmd"}},
}

// adapterMayNot import the controller, the wiring, or another adapter.
func adapterMayNot(self string) []string {
	never := []string{"pkg/controller", "internal/daemon", "cmd"}
	for _, a := range adapters {
		if a != self {
			never = append(never, a)
		}
	}
	return never
}

func TestImports(t *testing.T) {
	for _, v := range importViolations(packages(t), rules) {
		t.Error(v)
	}
}

func importViolations(pkgs []pkg, rules []rule) []string {
	var found []string
	for _, r := range rules {
		for _, p := range pkgs {
			if !within(p.Path, r.path) || within(p.Path, r.except...) {
				continue
			}
			for _, imported := range p.Imports {
				if r.forbids(imported) {
					found = append(found, fmt.Sprintf("%s may not import %s", p.Path, imported))
				}
			}
		}
	}
	return found
}

func (r rule) forbids(imported string) bool {
	path, ours := strings.CutPrefix(imported, module+"/")
	switch {
	case ours && r.only != nil && !slices.Contains(r.only, path):
		return true
	case slices.Contains(r.unless, path):
		return false
	case !ours && !strings.Contains(path, "."):
		return slices.Contains(r.never, path) // the standard library: os is not os/user
	default:
		return within(path, r.never...)
	}
}

// The rules themselves: what each of them must refuse.
func TestImportRulesRefuse(t *testing.T) {
	pkgs := []pkg{
		{Path: "pkg/agent", Imports: []string{"os", "path/filepath", module + "/pkg/store", "k8s.io/utils/clock"}},
		{Path: "pkg/controller/plan", Imports: []string{module + "/pkg/agent", module + "/pkg/controller", "time"}},
		{Path: "pkg/controller", Imports: []string{
			module + "/pkg/relay", module + "/pkg/relay/maildir", module + "/pkg/controller/plan", module + "/internal/daemon",
		}},
		{Path: "pkg/relay/maildir", Imports: []string{
			module + "/pkg/relay", module + "/pkg/agent", module + "/pkg/controller/plan", module + "/pkg/store",
		}},
		{Path: "pkg/metrics", Imports: []string{module + "/pkg/controller"}},
	}
	want := []string{
		"pkg/agent may not import os",
		"pkg/agent may not import " + module + "/pkg/store",
		"pkg/agent may not import k8s.io/utils/clock",
		"pkg/controller/plan may not import " + module + "/pkg/controller",
		"pkg/controller may not import " + module + "/pkg/relay/maildir",
		"pkg/controller may not import " + module + "/internal/daemon",
		"pkg/relay/maildir may not import " + module + "/pkg/controller/plan",
		"pkg/relay/maildir may not import " + module + "/pkg/store",
		"pkg/metrics may not import " + module + "/pkg/controller",
	}
	if diff := cmp.Diff(want, importViolations(pkgs, rules)); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}
