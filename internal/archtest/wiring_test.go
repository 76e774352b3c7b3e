package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
	"github.com/mesh-registry/mesh-controller/pkg/metrics"
)

var _ controller.Metrics = (*metrics.Metrics)(nil)

// An adapter may not import the planner, so the vocabulary stands twice.
func TestMetricsKnowEveryAction(t *testing.T) {
	var want []string
	for _, a := range plan.ActionTypes() {
		want = append(want, string(a))
	}
	got := slices.DeleteFunc(metrics.Actions(), func(a string) bool { return a == "other" })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics.Actions() (-want +got):\n%s", diff)
	}
}

// A step that the metrics do not know is counted as "other", which says
// nothing: only closing the index belongs there.
func TestMetricsKnowEveryStep(t *testing.T) {
	found := 0
	for _, p := range packages(t) {
		if p.Path != "pkg/controller" {
			continue
		}
		for _, f := range p.files(t) {
			for _, s := range stepsIn(f) {
				found++
				m := metrics.New(metrics.Build{})
				if s.call == "IndexError" {
					m.IndexError(s.step)
				} else {
					m.RelayError(s.step)
				}
				if strings.Contains(exposition(m), `{op="other"} 1`) && s.step != "close" {
					t.Errorf("%s: %s(%q) is counted as other", f.Name, s.call, s.step)
				}
			}
		}
	}
	if found == 0 {
		t.Error("the controller reports no error at all")
	}
}

type step struct{ call, step string }

// stepsIn finds the words that a file hands to IndexError, RelayError and, on
// the way to the first, commitEach.
func stepsIn(f *file) []step {
	calls := map[string]string{"IndexError": "IndexError", "RelayError": "RelayError", "commitEach": "IndexError"}
	var steps []step
	ast.Inspect(f.File, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := c.Fun.(*ast.SelectorExpr)
		if !ok || calls[sel.Sel.Name] == "" {
			return true
		}
		for _, arg := range c.Args {
			if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if word, err := strconv.Unquote(lit.Value); err == nil {
					steps = append(steps, step{calls[sel.Sel.Name], word})
				}
			}
		}
		return true
	})
	return steps
}
