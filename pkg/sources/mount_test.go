package sources

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestParseMountinfo(t *testing.T) {
	got := parseMountinfo(`22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
36 22 98:0 /sub\040dir /mnt/with\040space rw,noatime master:1 propagate_from:2 - fuse.sshfs me@host:/a\011b rw
garbage
40 22 0:5 / /mnt/none rw - tmpfs
`)
	want := []mountLine{
		{22, agent.Mount{Point: "/", Type: "ext4", Source: "/dev/vda", Root: "/"}},
		{36, agent.Mount{Point: "/mnt/with space", Type: "fuse.sshfs", Source: "me@host:/a\tb", Root: "/sub dir"}},
		{40, agent.Mount{Point: "/mnt/none", Type: "tmpfs", Root: "/"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(mountLine{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := unescape(`a\134040\`); got != `a\040\` {
		t.Errorf("unescape: %q", got)
	}
}

// mount mounts and unmounts at the test's end; it skips where that is not
// allowed.
func mount(t *testing.T, source, target, kind string, flags uintptr) {
	t.Helper()
	if err := unix.Mount(source, target, kind, flags, ""); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(target, unix.MNT_DETACH) })
}

func TestMountIdentity(t *testing.T) {
	root := temp(t)
	p := project(t, root+"/stick/p", "A1")
	tree := newTree(t, Options{})
	below := probe(t, tree, p)
	if below.Mount.IsZero() || below.Mount.FSID == "" || below.Mount.Type == "" {
		t.Fatalf("%+v", below.Mount)
	}
	req := agent.SweepRequest{Roots: []string{root}, Known: knownAt(p)}
	sweep(t, tree, req)

	mount(t, "one", root+"/stick", "tmpfs", 0)
	covered := probe(t, tree, p)
	if covered.Class != agent.DirMissing || covered.Mount.Point != root+"/stick" ||
		covered.Mount.Type != "tmpfs" || covered.Mount.Source != "one" || covered.AnchorGone {
		t.Errorf("covered: %+v", covered)
	}
	if got := covered.Judge("A1", below.Mount); got != agent.VolumeGone {
		t.Errorf("judged %v", got)
	}
	if l, c := sweep(t, tree, req); len(l.Sightings) != 0 || !l.Complete() || len(c.IDs) != 1 {
		t.Errorf("%v %v", l.Sightings, c)
	}
	project(t, p, "A2")
	if l, _ := sweep(t, tree, req); len(l.Sightings) != 1 || l.Sightings[0].ID != "A2" {
		t.Errorf("on the other volume: %v", l.Sightings)
	}
	must(t, unix.Unmount(root+"/stick", 0))
	mount(t, "one", root+"/stick", "tmpfs", 0)
	if another := probe(t, tree, p); another.Mount == covered.Mount {
		t.Errorf("another volume of the same name is told by nothing: %+v", another.Mount)
	}
	must(t, unix.Unmount(root+"/stick", 0))
	if back := probe(t, tree, p); back.Class != agent.Present || back.Mount != below.Mount {
		t.Errorf("back: %+v, want mount %+v", back, below.Mount)
	}
	if l, _ := sweep(t, tree, req); len(l.Sightings) != 1 || l.Sightings[0].ID != "A1" {
		t.Errorf("back: %v", l.Sightings)
	}
}

func TestBindMountCycle(t *testing.T) {
	root := temp(t)
	project(t, root+"/a", "A1")
	mount(t, root, mkdir(t, root+"/a/loop"), "", unix.MS_BIND)
	l, _ := sweep(t, newTree(t, Options{}), agent.SweepRequest{Roots: []string{root}})
	if got := paths(t, l, root); !slices.Equal(got, []string{"a"}) || !l.Complete() {
		t.Errorf("%v %+v", got, l.Roots)
	}
}

func TestHungMountBelowRoot(t *testing.T) {
	root := temp(t)
	project(t, root+"/a", "A1")
	mount(t, "nfs", mkdir(t, root+"/remote"), "tmpfs", 0)
	remote := project(t, root+"/remote/p", "R1")
	tree := newTree(t, Options{})
	req := agent.SweepRequest{Roots: []string{root}}
	sweep(t, tree, req)
	b := tree.guard.bulkhead(root + "/remote")
	b.stuck.Add(1)
	l, c := sweep(t, tree, req)
	if got := paths(t, l, root); !slices.Equal(got, []string{"a", "remote/p Unknown"}) || l.Complete() {
		t.Errorf("%v %+v", got, l.Roots)
	}
	if !slices.Equal(c.Paths, []string{remote}) {
		t.Errorf("changes %v", c)
	}
	b.stuck.Add(-1)
	if l, _ = sweep(t, tree, req); !slices.Equal(paths(t, l, root), []string{"a", "remote/p"}) || !l.Complete() {
		t.Errorf("%v %+v", paths(t, l, root), l.Roots)
	}
}
