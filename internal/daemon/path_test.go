package daemon

import (
	"os"
	"path/filepath"
	"testing"
)

// A path reads the same before and after what it names appears.
func TestRealPath(t *testing.T) {
	dir := RealPath(t.TempDir())
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	link("real", "link")
	link(filepath.Join(dir, "unplugged", "stick"), "stick")
	link("loop", "loop")
	for in, want := range map[string]string{
		"real":            "real",
		"link":            "real",
		"link/gone/below": "real/gone/below",
		"gone":            "gone",
		"stick":           "unplugged/stick",
		"stick/project":   "unplugged/stick/project",
		"loop":            "loop",
	} {
		if got := RealPath(filepath.Join(dir, in)); got != filepath.Join(dir, want) {
			t.Errorf("RealPath(%s) = %s, want %s", in, got, want)
		}
	}
	before := RealPath(filepath.Join(dir, "stick", "project"))
	if err := os.MkdirAll(filepath.Join(dir, "unplugged/stick/project"), 0o700); err != nil {
		t.Fatal(err)
	}
	if after := RealPath(filepath.Join(dir, "stick", "project")); after != before {
		t.Errorf("%s before and %s after the volume came", before, after)
	}
}
