package archtest

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// banned names say nothing about what is inside.
var banned = []string{
	"util", "utils", "common", "helper", "helpers", "manager", "managers", "data", "misc", "shared", "lib",
}

func TestPackageNames(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range []string{p.Name, path.Base(p.Path)} {
			if slices.Contains(banned, name) {
				t.Errorf("%s: %q says nothing about what is inside", p.Path, name)
			}
		}
	}
}

// The story of a package is told once.
func TestOnePackageDoc(t *testing.T) {
	for _, p := range packages(t) {
		files := p.files(t)
		if len(files) == 0 {
			continue // tests only
		}
		var docs []string
		for _, f := range files {
			if f.Doc == nil {
				continue
			}
			docs = append(docs, f.Name)
			first := "Package " + p.Name + " "
			if p.Name == "main" {
				first = "Command "
			}
			if !strings.HasPrefix(f.Doc.Text(), first) {
				t.Errorf("%s: the package doc does not begin with %q", f.Name, first)
			}
		}
		if len(docs) != 1 {
			t.Errorf("%s has %d package docs, want one: %v", p.Path, len(docs), docs)
		}
	}
}
