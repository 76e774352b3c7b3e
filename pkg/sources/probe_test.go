package sources

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// eachOpener runs a test with openat2 and without it: the promises are the
// same.
func eachOpener(t *testing.T, test func(t *testing.T, tree *Tree)) {
	for name, openat2 := range map[string]bool{"openat2": true, "stepwise": false} {
		t.Run(name, func(t *testing.T) {
			tree := newTree(t, Options{})
			if openat2 && !tree.open.openat2 {
				t.Skip("openat2 is not allowed here")
			}
			tree.open.openat2 = openat2
			test(t, tree)
		})
	}
}

func TestProbeClasses(t *testing.T) {
	file := func(dir string) string { return filepath.Join(dir, ".dork", "agent.json") }
	for _, tc := range []struct {
		name  string
		make  func(t *testing.T, dir string)
		class agent.Evidence
		says  string // in Problem or Err
	}{
		{"valid", func(t *testing.T, dir string) { project(t, dir, "A1") }, agent.Present, ""},
		{"not JSON", func(t *testing.T, dir string) { write(t, file(dir), "{") }, agent.Invalid, ""},
		{"empty", func(t *testing.T, dir string) { write(t, file(dir), "") }, agent.Invalid, ""},
		{"directory gone", func(*testing.T, string) {}, agent.DirMissing, "ENOENT"},
		{"no .dork", func(t *testing.T, dir string) { mkdir(t, dir) }, agent.FileMissing, "ENOENT"},
		{"empty .dork", func(t *testing.T, dir string) { mkdir(t, dir+"/.dork") }, agent.FileMissing, "ENOENT"},
		{".dork is a file", func(t *testing.T, dir string) { write(t, dir+"/.dork", "x") }, agent.FileMissing, "ENOTDIR"},
		{"project is a file", func(t *testing.T, dir string) { write(t, dir, "x") }, agent.DirMissing, "ENOTDIR"},
		{"parent is a file", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Dir(dir)))
			write(t, filepath.Dir(dir), "x")
		}, agent.DirMissing, "ENOTDIR"},
		{"dangling project link", func(t *testing.T, dir string) { must(t, os.Symlink("/nowhere", dir)) }, agent.Unknown, "symbolic link"},
		{"dangling parent link", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Dir(dir)))
			must(t, os.Symlink("/nowhere", filepath.Dir(dir)))
		}, agent.Unknown, "symbolic link"},
		{"project moved and linked", func(t *testing.T, dir string) {
			must(t, os.Symlink(project(t, dir+"-moved", "A1"), dir))
		}, agent.Present, ""},
		{"link loop above", func(t *testing.T, dir string) { must(t, os.Symlink(dir, dir)) }, agent.Unknown, "ELOOP"},
		{"name too long", nil, agent.Unknown, "ENAMETOOLONG"},
		{"link to a file", func(t *testing.T, dir string) {
			mkdir(t, dir+"/.dork")
			must(t, os.Symlink("/etc/passwd", file(dir)))
		}, agent.Invalid, "is a symbolic link"},
		{"link to a manifest inside", func(t *testing.T, dir string) {
			write(t, dir+"/.dork/real.json", manifest("A1"))
			must(t, os.Symlink("real.json", file(dir)))
		}, agent.Invalid, "is a symbolic link"},
		{"dangling link", func(t *testing.T, dir string) {
			mkdir(t, dir+"/.dork")
			must(t, os.Symlink("nothing", file(dir)))
		}, agent.Invalid, "is a symbolic link"},
		{"link to itself", func(t *testing.T, dir string) {
			mkdir(t, dir+"/.dork")
			must(t, os.Symlink("agent.json", file(dir)))
		}, agent.Invalid, "is a symbolic link"},
		{".dork links elsewhere", func(t *testing.T, dir string) {
			mkdir(t, dir)
			must(t, os.Symlink(project(t, dir+"-other", "A1")+"/.dork", dir+"/.dork"))
		}, agent.Invalid, ".dork is a symbolic link"},
		{".dork links inside", func(t *testing.T, dir string) {
			write(t, dir+"/dork/agent.json", manifest("A1"))
			must(t, os.Symlink("dork", dir+"/.dork"))
		}, agent.Invalid, ".dork is a symbolic link"},
		{"named pipe", func(t *testing.T, dir string) {
			mkdir(t, dir+"/.dork")
			must(t, unix.Mkfifo(file(dir), 0o644))
		}, agent.Invalid, "a named pipe"},
		{"socket", func(t *testing.T, dir string) { listenAt(t, mkdir(t, dir+"/.dork")) }, agent.Invalid, "a socket"},
		{"device", func(t *testing.T, dir string) {
			mkdir(t, dir+"/.dork")
			if err := unix.Mknod(file(dir), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 5))); err != nil {
				t.Skipf("make a device: %v", err)
			}
		}, agent.Invalid, "a device"},
		{"directory", func(t *testing.T, dir string) { mkdir(t, file(dir)) }, agent.Invalid, "a directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			eachOpener(t, func(t *testing.T, tree *Tree) {
				dir := filepath.Join(mkdir(t, filepath.Join(temp(t), "parent")), "project")
				if tc.make == nil {
					dir = filepath.Join(filepath.Dir(dir), strings.Repeat("x", 300))
				} else {
					tc.make(t, dir)
				}
				got := probe(t, tree, dir)
				if got.Class != tc.class {
					t.Fatalf("class %v (%s %v), want %v", got.Class, got.Err, got.Problem, tc.class)
				}
				said := got.Err
				if got.Problem != nil {
					said += got.Problem.Error()
				}
				if !strings.Contains(said, tc.says) {
					t.Errorf("says %q, want %q", said, tc.says)
				}
				if (got.Class == agent.Present) != (got.Manifest != nil) || (got.Class == agent.Invalid) != (got.Problem != nil) {
					t.Errorf("manifest %v, problem %v with class %v", got.Manifest, got.Problem, got.Class)
				}
				if got.Class != agent.Unknown && got.Mount.IsZero() {
					t.Error("no mount")
				}
			})
		})
	}
}

// listenAt leaves agent.json behind as a socket. The name is relative since a
// socket's path is short.
func listenAt(t *testing.T, dir string) {
	t.Helper()
	t.Chdir(dir)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: "agent.json"})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.Close())
}

func TestProbeTellsTheDirectory(t *testing.T) {
	tree, root := newTree(t, Options{}), temp(t)
	a := probe(t, tree, project(t, root+"/a", "A1"))
	must(t, os.Rename(root+"/a", root+"/b"))
	must(t, os.Symlink("b", root+"/a"))
	if b := probe(t, tree, root+"/b"); a.Dir.IsZero() || a.Dir != b.Dir {
		t.Errorf("moved: %v, want %v", b.Dir, a.Dir)
	}
	if linked := probe(t, tree, root+"/a"); linked.Dir != a.Dir || linked.Class != agent.Present {
		t.Errorf("through a link: %v %v, want the same directory", linked.Class, linked.Dir)
	}
}

func TestProbeAnchor(t *testing.T) {
	tree, root := newTree(t, Options{}), temp(t)
	for anchor, gone := range map[string]bool{root: false, root + "/none": true, "": false} {
		got := tree.Probe(t.Context(), agent.ProbeRequest{Path: root + "/none/x", Anchor: anchor})
		if got.Class != agent.DirMissing || got.AnchorGone != gone {
			t.Errorf("anchor %q: %v gone=%v, want gone=%v", anchor, got.Class, got.AnchorGone, gone)
		}
	}
}

func TestProbeHugeFileIsNotRead(t *testing.T) {
	eachOpener(t, func(t *testing.T, tree *Tree) {
		dir := project(t, temp(t)+"/p", "A1")
		must(t, os.Truncate(dir+"/.dork/agent.json", 8<<30))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := probe(t, tree, dir)
		runtime.ReadMemStats(&after)
		if got.Class != agent.Invalid || !strings.Contains(got.Problem.Message, "1048576 bytes") {
			t.Errorf("%v %v, want Invalid and the bound", got.Class, got.Problem)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("allocated %d bytes", grown)
		}
	})
}

func TestProbeAtTheBound(t *testing.T) {
	tree, dir := newTree(t, Options{}), temp(t)
	for size, class := range map[int]agent.Evidence{MaxManifest: agent.Present, MaxManifest + 1: agent.Invalid} {
		m := manifest("A1")
		write(t, dir+"/.dork/agent.json", m+strings.Repeat(" ", size-len(m)))
		if got := probe(t, tree, dir); got.Class != class {
			t.Errorf("%d bytes: %v, want %v", size, got.Class, class)
		}
	}
}

// A .dork that is swapped for a link while it is opened never leads outside.
func TestProbeRacingLink(t *testing.T) {
	eachOpener(t, func(t *testing.T, tree *Tree) {
		root := temp(t)
		dir, evil := project(t, root+"/p", "GOOD"), project(t, root+"/evil", "EVIL")
		must(t, os.Symlink(evil+"/.dork", dir+"/swap"))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 20_000 {
				_ = unix.Renameat2(unix.AT_FDCWD, dir+"/.dork", unix.AT_FDCWD, dir+"/swap", unix.RENAME_EXCHANGE)
			}
		}()
		seen := map[agent.Evidence]int{}
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			got := probe(t, tree, dir)
			seen[got.Class]++
			if got.Class == agent.Present && got.Manifest.ID != "GOOD" {
				t.Fatalf("read %s through a link", got.Manifest.ID)
			}
			if got.Class.Absent() {
				t.Fatalf("%v (%s): it was never gone", got.Class, got.Err)
			}
		}
		t.Log(seen)
	})
}

func TestWorktree(t *testing.T) {
	tree, root := newTree(t, Options{}), temp(t)
	mkdir(t, root+"/main/.git")
	write(t, root+"/linked/.git", "gitdir: "+root+"/main/.git/worktrees/linked\n")
	write(t, root+"/module/.git", "gitdir: ../main/.git/modules/module\n")
	mkdir(t, root+"/linked/vendored/.git")
	for dir, want := range map[string]bool{
		"main": false, "main/sub": false, "linked": true, "linked/deep/sub": true, "module": false,
		"linked/vendored/sub": false, "none": false,
	} {
		path := project(t, filepath.Join(root, dir), "A1")
		got := tree.Probe(t.Context(), agent.ProbeRequest{Path: path, Worktree: true})
		if got.Worktree != want {
			t.Errorf("%s: %v, want %v", dir, got.Worktree, want)
		}
		if unasked := probe(t, tree, path); unasked.Worktree {
			t.Errorf("%s: told without being asked", dir)
		}
	}
}
