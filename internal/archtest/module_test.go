package archtest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/mesh-registry/mesh-controller"

// root of the module, seen from this directory.
var root = filepath.Join("..", "..")

// pkg is what go list says of one package of the module. Path is the import
// path below the module.
type pkg struct {
	ImportPath, Name, Dir   string
	GoFiles, IgnoredGoFiles []string
	Imports                 []string

	Path string
}

var list = sync.OnceValues(func() ([]pkg, error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Dir,GoFiles,IgnoredGoFiles,Imports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return pkgs, nil
		case err != nil:
			return nil, err
		}
		p.Path = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		pkgs = append(pkgs, p)
	}
})

func packages(t *testing.T) []pkg {
	t.Helper()
	pkgs, err := list()
	if err != nil {
		t.Fatal(err)
	}
	if len(pkgs) == 0 {
		t.Fatal("go list found no package")
	}
	return pkgs
}

// file is one parsed source file; Name is its path below the module.
type file struct {
	Name string
	*ast.File
	fset *token.FileSet
}

func (f *file) line(n ast.Node) int { return f.fset.Position(n.Pos()).Line }

// files are the package's sources for every operating system, tests left out.
func (p *pkg) files(t *testing.T) []*file {
	t.Helper()
	var files []*file
	for _, name := range append(p.GoFiles, p.IgnoredGoFiles...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parse(filepath.Join(p.Dir, name), nil)
		if err != nil {
			t.Fatal(err)
		}
		f.Name = p.Path + "/" + name
		files = append(files, f)
	}
	return files
}

func parse(name string, src any) (*file, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	return &file{Name: name, File: f, fset: fset}, err
}

// within reports whether the package path is one of these or lies below one.
func within(path string, dirs ...string) bool {
	for _, dir := range dirs {
		if path == dir || strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}
