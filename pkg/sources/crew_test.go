package sources

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// fromDisk makes a tree whose every look seems to come from the disk.
func fromDisk(t *testing.T, opts Options) *Tree {
	t.Helper()
	tree := newTree(t, opts)
	var blocks atomic.Int64
	tree.blocks = func() int64 { return blocks.Add(1 << 20) }
	return tree
}

// teams makes projects with directories in them, below some that hold them.
func teams(t *testing.T, root string, n int) {
	t.Helper()
	for i := range n {
		dir := project(t, fmt.Sprintf("%s/team-%d/p%03d", root, i%3, i), fmt.Sprintf("ID%03d", i))
		project(t, dir+"/a/inner", fmt.Sprintf("IN%03d", i))
		mkdir(t, dir+"/b")
	}
}

// Walkers beside each other list what one lists, again and again.
func TestColdWalkListsTheSame(t *testing.T) {
	root := temp(t)
	teams(t, root, 90)
	req := agent.SweepRequest{Roots: []string{root}}
	want, _ := sweep(t, newTree(t, Options{}), req)
	tree := fromDisk(t, Options{})
	for _, full := range []bool{false, true, false} {
		req.Full = full
		got, _ := sweep(t, tree, req)
		if d := cmp.Diff(want.Sightings, got.Sightings); d != "" {
			t.Errorf("(-one +several)\n%s", d)
		}
		if d := cmp.Diff(want.Roots, got.Roots); d != "" {
			t.Errorf("(-one +several)\n%s", d)
		}
	}
	if n := len(tree.hands); n != 0 {
		t.Errorf("%d hands were not given back", n)
	}
}

// A bound is the root's, however many walk it.
func TestColdWalkKeepsTheBound(t *testing.T) {
	root := temp(t)
	teams(t, root, 60)
	l, _ := sweep(t, fromDisk(t, Options{MaxEntries: 100}), agent.SweepRequest{Roots: []string{root}})
	if r := l.Roots[0]; r.Complete || r.Manifests == 0 || r.Manifests > 50 {
		t.Errorf("%+v", r)
	}
}

// On a mount that hangs no more threads wait than there are hands, also when
// sweeps go on.
func TestColdWalkOnHungMount(t *testing.T) {
	const agents = 300
	root := temp(t)
	for i := range agents {
		project(t, fmt.Sprintf("%s/team/p%03d", root, i), fmt.Sprintf("ID%03d", i))
	}
	tree := fromDisk(t, Options{ProbeTimeout: brief})
	gate, waiting := make(chan struct{}), atomic.Int32{}
	var seen atomic.Int32
	tree.decode = func(data []byte) (*agent.Manifest, *agent.Violation) {
		if seen.Add(1) > agents/2 {
			waiting.Add(1)
			<-gate
		}
		time.Sleep(time.Millisecond)
		return agent.DecodeManifest(data)
	}
	req := agent.SweepRequest{Roots: []string{root}}
	for range 3 {
		if l, _ := sweep(t, tree, req); l.Complete() {
			t.Error("complete though it hangs")
		}
	}
	// A process of ours has ten others or so, and is to stay below forty.
	if n := waiting.Load(); n < 2 || n > 25 {
		t.Errorf("%d wait, want at most 25", n)
	}
	close(gate)
	eventually(t, "the mount stays refused", func() bool { return !tree.guard.hangs(tree.mounts.point(root)) })
	if l, _ := sweep(t, tree, req); !l.Complete() || len(l.Sightings) != agents || len(tree.hands) != 0 {
		t.Errorf("answers again: %+v, %d hands away", l.Roots[0], len(tree.hands))
	}
}
