package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// homed functions may be used in their home only: a file or a directory.
var homed = []struct {
	imported string
	names    []string
	homes    []string
	why      string
}{
	{
		"time",
		[]string{"Now", "Since", "Until"},
		[]string{"pkg/clock/clock.go"},
		"there is one clock; everybody else is handed a time",
	},
	{
		"time",
		[]string{"Sleep"},
		[]string{"pkg/clock/clock.go", "internal/atomicfile/dir.go", "pkg/relay/maildir/secondlook.go"},
		"only what waits for another process may sleep",
	},
	{
		"k8s.io/utils/clock",
		[]string{"RealClock"},
		[]string{"pkg/clock/clock.go"},
		"there is one clock; everybody else is handed a time",
	},
	{
		"os",
		[]string{"Exit"},
		[]string{"cmd/controller"},
		"only main ends the process",
	},
	{
		"log",
		[]string{"Fatal", "Fatalf", "Fatalln"},
		[]string{"cmd/controller"},
		"only main ends the process",
	},
	{
		"os/signal",
		[]string{"Notify", "NotifyContext", "Ignore", "Reset", "Stop"},
		[]string{"cmd/controller"},
		"only main knows signals",
	},
	{
		"os",
		[]string{"Rename"},
		[]string{"internal/atomicfile", "pkg/relay/maildir"},
		"a file is published by internal/atomicfile, mail is moved by pkg/relay/maildir",
	},
}

func TestHomedCalls(t *testing.T) {
	for _, p := range packages(t) {
		if !within(p.Path, "cmd", "pkg", "internal", "migrations") {
			continue
		}
		for _, f := range p.files(t) {
			for _, v := range strayCalls(f) {
				t.Error(v)
			}
		}
	}
}

func strayCalls(f *file) []string {
	imported := imports(f)
	var found []string
	ast.Inspect(f.File, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		for _, h := range homed {
			if imported[x.Name] == h.imported && slices.Contains(h.names, sel.Sel.Name) && !within(f.Name, h.homes...) {
				found = append(found, fmt.Sprintf("%s:%d: %s.%s: %s", f.Name, f.line(sel), h.imported, sel.Sel.Name, h.why))
			}
		}
		return true
	})
	return found
}

// imports maps the names that a file gives to packages to their paths.
func imports(f *file) map[string]string {
	byName := map[string]string{}
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path.Base(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		byName[name] = p
	}
	return byName
}

// Nothing happens before main.
func TestNoInit(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.files(t) {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s:%d: an init function", f.Name, f.line(fn))
				}
			}
		}
	}
}

func TestStrayCallsAreFound(t *testing.T) {
	const src = `package x
import (
	"os"
	clock "time"
	"time"
)
var _ = clock.Now
func f() { os.Exit(1); _ = time.Since(time.Time{}); os.Remove(""); _ = os.Rename("a", "b"); var t time.Time; _ = t }
`
	for name, want := range map[string][]string{
		"pkg/store/a.go":           {"time.Now", "os.Exit", "time.Since", "os.Rename"},
		"pkg/clock/clock.go":       {"os.Exit", "os.Rename"},
		"internal/daemon/other.go": {"time.Now", "os.Exit", "time.Since", "os.Rename"},
		"cmd/controller/main.go":   {"time.Now", "time.Since", "os.Rename"},
		"pkg/relay/maildir/a.go":   {"time.Now", "os.Exit", "time.Since"},
	} {
		f, err := parse(name, src)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range strayCalls(f) {
			got = append(got, strings.Split(v, ": ")[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
