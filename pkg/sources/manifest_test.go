package sources

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

const atManifest = "/.dork/agent.json"

func TestManifestInspect(t *testing.T) {
	root := temp(t)
	p := project(t, root+"/p", "A1")
	must(t, os.Symlink("p", root+"/link"))
	bare := mkdir(t, root+"/bare")
	dorky := mkdir(t, root+"/dorky/.dork")
	write(t, root+"/bad"+atManifest, "{")
	write(t, root+"/empty"+atManifest, "")
	write(t, root+"/huge"+atManifest, strings.Repeat(" ", MaxManifest+1))
	mkdir(t, root+"/linked/.dork")
	must(t, os.Symlink(p+atManifest, root+"/linked"+atManifest))
	t.Chdir(root)
	tree := newTree(t, Options{})
	for _, tt := range []struct {
		path, real string
		class      agent.Evidence
		data       []byte
		dork       bool
	}{
		{p, p, agent.Present, []byte(manifest("A1")), true},
		{root + "/link", p, agent.Present, []byte(manifest("A1")), true},
		{"link/../p/.", p, agent.Present, []byte(manifest("A1")), true},
		{bare, bare, agent.FileMissing, nil, false},
		{filepath.Dir(dorky), filepath.Dir(dorky), agent.FileMissing, nil, true},
		{root + "/bad", root + "/bad", agent.Invalid, []byte("{"), true},
		{root + "/empty", root + "/empty", agent.Invalid, []byte{}, true},
		{root + "/huge", root + "/huge", agent.Invalid, nil, true},
		{root + "/linked", root + "/linked", agent.Invalid, nil, true},
	} {
		f, err := tree.Inspect(t.Context(), tt.path)
		must(t, err)
		if f.Path != tt.real || f.Look.Path != tt.real || f.Look.Class != tt.class || f.DorkDir != tt.dork {
			t.Errorf("%s: %+v", tt.path, f)
		}
		if !bytes.Equal(f.Data, tt.data) || (f.Data == nil) != (tt.data == nil) {
			t.Errorf("%s: data %q, want %q", tt.path, f.Data, tt.data)
		}
		if looked := probe(t, tree, tt.real); looked.Class != f.Look.Class || looked.Dir != f.Look.Dir || looked.Mount != f.Look.Mount {
			t.Errorf("%s: a probe says %+v, not %+v", tt.path, looked, f.Look)
		}
	}
}

func TestManifestInspectRefusesPaths(t *testing.T) {
	root := temp(t)
	write(t, root+"/file", "x")
	must(t, os.Symlink("nowhere", root+"/dangling"))
	must(t, os.Symlink("loop", root+"/loop"))
	tree := newTree(t, Options{})
	for path, want := range map[string]string{
		"/no":                          "/no does not exist",
		"/file":                        "/file is not a directory",
		"/file/below":                  "/file/below does not exist",
		"/dangling":                    "/dangling is a symbolic link that leads nowhere",
		"/loop":                        "/loop leads through too many symbolic links",
		"/" + strings.Repeat("x", 300): "/" + strings.Repeat("x", 300) + " is too long for a path",
	} {
		_, err := tree.Inspect(t.Context(), root+path)
		bad, ok := errors.AsType[*agent.PathError](err)
		if !ok || bad.Error() != root+want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestManifestPermissions(t *testing.T) {
	if !unprivileged(t) {
		return
	}
	root := temp(t)
	shut := project(t, root+"/shut", "A1")
	stuck := project(t, root+"/stuck", "A2")
	must(t, os.Chmod(shut, 0))
	must(t, os.Chmod(stuck+"/.dork", 0o500))
	t.Cleanup(func() { _ = os.Chmod(shut, 0o700); _ = os.Chmod(stuck+"/.dork", 0o700) })
	tree := newTree(t, Options{})
	_, err := tree.Inspect(t.Context(), shut)
	if _, ok := errors.AsType[*agent.PathError](err); !ok || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("inspect: %v", err)
	}
	old := []byte(manifest("A2"))
	for what, err := range map[string]error{
		"replace": tree.ReplaceManifest(t.Context(), stuck, old, []byte("next")),
		"remove":  tree.RemoveManifest(t.Context(), stuck, old, true),
	} {
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), stuck+atManifest+" cannot be written, permission is denied") {
			t.Errorf("%s: %v", what, err)
		}
	}
	holds(t, stuck, string(old))
}

// holds also says that nothing else is beside the manifest.
func holds(t *testing.T, project, content string) {
	t.Helper()
	got, err := os.ReadFile(project + atManifest)
	must(t, err)
	if string(got) != content {
		t.Errorf("holds %q, want %q", got, content)
	}
	if n := inDir(t, project+"/.dork"); !slices.Equal(n, []string{"agent.json"}) {
		t.Errorf(".dork holds %q", n)
	}
}

func inDir(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	must(t, err)
	list := []string{}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestManifestLife(t *testing.T) {
	p := mkdir(t, temp(t)+"/p")
	tree := newTree(t, Options{})
	made, err := tree.CreateManifest(t.Context(), p, []byte("one"), 0)
	if !made || err != nil {
		t.Fatal(made, err)
	}
	holds(t, p, "one")
	fi, err := os.Stat(p + atManifest)
	must(t, err)
	if fi.Mode() != manifestMode {
		t.Errorf("mode %v", fi.Mode())
	}
	if made, err := tree.CreateManifest(t.Context(), p, []byte("two"), 0); made || !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one: %v, %v", made, err)
	}
	must(t, tree.ReplaceManifest(t.Context(), p, []byte("one"), []byte("two")))
	if err := tree.ReplaceManifest(t.Context(), p, []byte("one"), []byte("three")); !errors.Is(err, agent.ErrConflict) {
		t.Errorf("replace what changed: %v", err)
	}
	if err := tree.RemoveManifest(t.Context(), p, []byte("one"), true); !errors.Is(err, agent.ErrConflict) {
		t.Errorf("remove what changed: %v", err)
	}
	holds(t, p, "two")
	for range 2 {
		must(t, tree.RemoveManifest(t.Context(), p, []byte("two"), true))
	}
	if n := inDir(t, p); len(n) != 0 {
		t.Errorf("left %q", n)
	}
	if err := tree.ReplaceManifest(t.Context(), p, nil, []byte("x")); !errors.Is(err, agent.ErrConflict) {
		t.Errorf("replace what is gone: %v", err)
	}
}

func TestManifestRemoveLeavesTheRest(t *testing.T) {
	p := project(t, temp(t)+"/p", "A1")
	write(t, p+"/.dork/notes", "mine")
	tree := newTree(t, Options{})
	must(t, tree.RemoveManifest(t.Context(), p, []byte(manifest("A1")), true))
	if n := inDir(t, p+"/.dork"); !slices.Equal(n, []string{"notes"}) {
		t.Errorf(".dork holds %q", n)
	}
	must(t, os.Remove(p+"/.dork/notes"))
	must(t, tree.RemoveManifest(t.Context(), p, nil, false))
	if n := inDir(t, p); !slices.Equal(n, []string{".dork"}) {
		t.Errorf("project holds %q", n)
	}
}

func TestManifestWithoutProject(t *testing.T) {
	tree, p := newTree(t, Options{}), temp(t)+"/no"
	if made, err := tree.CreateManifest(t.Context(), p, []byte("x"), 0); made || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("create: %v, %v", made, err)
	}
	if err := tree.ReplaceManifest(t.Context(), p, nil, []byte("x")); !errors.Is(err, agent.ErrConflict) {
		t.Errorf("replace: %v", err)
	}
	must(t, tree.RemoveManifest(t.Context(), p, nil, true))
	if did, err := tree.RecoverManifest(t.Context(), p); did || err != nil {
		t.Errorf("recover: %v, %v", did, err)
	}
}

// Nothing is written through a link, nor removed, and no trace is left.
func TestManifestThroughLinks(t *testing.T) {
	for _, openat2 := range []bool{true, false} {
		root := temp(t)
		victim := project(t, root+"/victim", "A1")
		p := mkdir(t, root+"/dork")
		must(t, os.Symlink(victim+"/.dork", p+"/.dork"))
		q := root + "/file"
		mkdir(t, q+"/.dork")
		must(t, os.Symlink(victim+atManifest, q+atManifest))
		tree := newTree(t, Options{})
		tree.open.openat2 = tree.open.openat2 && openat2
		for _, project := range []string{p, q} {
			if made, err := tree.CreateManifest(t.Context(), project, []byte("x"), 0); made || err == nil {
				t.Errorf("create: %v, %v", made, err)
			}
			if err := tree.ReplaceManifest(t.Context(), project, []byte(manifest("A1")), []byte("x")); err == nil || errors.Is(err, agent.ErrConflict) {
				t.Errorf("replace: %v", err)
			}
			if err := tree.RemoveManifest(t.Context(), project, []byte(manifest("A1")), true); err == nil || errors.Is(err, agent.ErrConflict) {
				t.Errorf("remove: %v", err)
			}
			if did, err := tree.RecoverManifest(t.Context(), project); did || err != nil {
				t.Errorf("recover: %v, %v", did, err)
			}
		}
		holds(t, victim, manifest("A1"))
		if to, err := os.Readlink(q + atManifest); err != nil || to != victim+atManifest {
			t.Errorf("the link leads to %q, %v", to, err)
		}
	}
}

func TestManifestRecover(t *testing.T) {
	p := project(t, temp(t)+"/p", "A1")
	tree := newTree(t, Options{})
	if did, err := tree.RecoverManifest(t.Context(), p); did || err != nil {
		t.Errorf("nothing is there: %v, %v", did, err)
	}
	left := ".mesh-controller.agent.json.part.none.none.0123456789abcdef"
	if !atomicfile.IsTemp(left) {
		t.Fatal("the name has changed")
	}
	write(t, p+"/.dork/"+left, "ha")
	if did, err := tree.RecoverManifest(t.Context(), p); !did || err != nil {
		t.Errorf("%v, %v", did, err)
	}
	holds(t, p, manifest("A1"))
}

func TestManifestOnFullDisk(t *testing.T) {
	dir := mountTmpfs(t, "size=64k")
	p := project(t, dir+"/p", "A1")
	tree := newTree(t, Options{})
	big := bytes.Repeat([]byte("x"), 256<<10)
	err := tree.ReplaceManifest(t.Context(), p, []byte(manifest("A1")), big)
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("replace: %v", err)
	}
	holds(t, p, manifest("A1"))
	q := mkdir(t, dir+"/q")
	if made, err := tree.CreateManifest(t.Context(), q, big, 0); made || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("create: %v, %v", made, err)
	}
	if n := inDir(t, q); len(n) != 0 {
		t.Errorf("left %q", n)
	}
	must(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	_, err = tree.CreateManifest(t.Context(), q, []byte("x"), 0)
	if !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), "the file system is read-only") {
		t.Errorf("read-only: %v", err)
	}
}

func mountTmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := temp(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("mounting a tmpfs is not permitted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// held keeps own writers out of .dork until it is called.
func held(t *testing.T, project string) (release func()) {
	t.Helper()
	dir, err := os.Open(project + "/.dork")
	must(t, err)
	must(t, unix.Flock(int(dir.Fd()), unix.LOCK_EX))
	return func() { dir.Close() }
}

func TestManifestOnHungMount(t *testing.T) {
	p := project(t, temp(t)+"/p", "HANG")
	tree := newTree(t, Options{ProbeTimeout: 20 * time.Millisecond})
	gate := make(chan struct{})
	tree.decode = func(data []byte) (*agent.Manifest, *agent.Violation) { <-gate; return agent.DecodeManifest(data) }
	if _, err := tree.Inspect(t.Context(), p); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("inspect: %v", err)
	}
	close(gate)
	settled := func() bool { return !tree.guard.hangs(tree.mounts.point(p)) }
	eventually(t, "the look never returns", settled)

	release := held(t, p)
	err := tree.ReplaceManifest(t.Context(), p, []byte(manifest("HANG")), []byte("next"))
	if err == nil || !strings.Contains(err.Error(), "is not known") || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("replace: %v", err)
	}
	release()
	eventually(t, "the write never returns", settled)
	holds(t, p, "next")
}

// A write outlasts its order for a moment: what it tells is true.
func TestManifestWriteOutlastsItsContext(t *testing.T) {
	p := project(t, temp(t)+"/p", "A1")
	tree := newTree(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	release := held(t, p)
	time.AfterFunc(20*time.Millisecond, cancel)
	time.AfterFunc(300*time.Millisecond, release)
	must(t, tree.ReplaceManifest(ctx, p, []byte(manifest("A1")), []byte("next")))
	holds(t, p, "next")
	if err := tree.ReplaceManifest(ctx, p, []byte("next"), []byte("late")); !errors.Is(err, context.Canceled) {
		t.Errorf("begun after the end: %v", err)
	}
	holds(t, p, "next")
}
