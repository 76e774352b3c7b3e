package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
)

// What looks a method up by a name that is not a constant makes the linker keep
// every exported method of every type, 3 MB of them (docs/adr/0018). The linker
// itself says whether anything that can be reached does.
func TestNothingLooksMethodsUpByName(t *testing.T) {
	if testing.Short() {
		t.Skip("links the program")
	}
	out := filepath.Join(t.TempDir(), "mesh-controller")
	cmd := exec.Command("go", "build", "-ldflags", "-dumpdep", "-o", out, ".")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	edges, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, edges)
	}
	if !bytes.Contains(edges, []byte("main.main -> ")) {
		t.Fatalf("the linker printed no edges:\n%.2000s", edges)
	}
	for edge := range bytes.Lines(edges) {
		if bytes.Contains(edge, []byte("<ReflectMethod>")) {
			t.Fatalf("every exported method is kept, because of %s", edge)
		}
	}
}
