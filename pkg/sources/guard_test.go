package sources

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// brief is long enough for a busy machine to answer in.
const brief = 250 * time.Millisecond

// hung makes a tree whose probes below path block until release is called.
func hung(t *testing.T, path string) (tree *Tree, begun func() int, release func()) {
	tree = newTree(t, Options{ProbeTimeout: brief})
	gate, mu, n := make(chan struct{}), sync.Mutex{}, 0
	tree.look = func(r *reader, req agent.ProbeRequest) agent.Look {
		if agent.Within(req.Path, path) {
			mu.Lock()
			n++
			mu.Unlock()
			<-gate
		}
		return tree.lookAt(r, req)
	}
	var once sync.Once
	release = func() { once.Do(func() { close(gate) }) }
	t.Cleanup(release)
	return tree, func() int { mu.Lock(); defer mu.Unlock(); return n }, release
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 5000 {
		if ok() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal(what)
}

func TestHungMountIsLeftAlone(t *testing.T) {
	root := temp(t)
	p := project(t, root+"/p", "A1")
	tree, begun, release := hung(t, root)
	point := tree.mounts.point(p)
	for range lanes {
		if got := probe(t, tree, p); got.Class != agent.Unknown || !strings.Contains(got.Err, "mount "+point) {
			t.Errorf("%v %q", got.Class, got.Err)
		}
	}
	began := time.Now()
	for range 20 {
		if got := probe(t, tree, p); got.Class != agent.Unknown {
			t.Errorf("%v", got.Class)
		}
	}
	if took := time.Since(began); took > 5*brief || begun() != lanes {
		t.Errorf("%v for 20 probes, %d begun; want none to wait for %v and %d", took, begun(), brief, lanes)
	}
	if got := probe(t, tree, "/proc/self"); got.Class != agent.FileMissing {
		t.Errorf("another mount: %v %s, want FileMissing", got.Class, got.Err)
	}
	l, _ := sweep(t, tree, agent.SweepRequest{Roots: []string{root}, Known: knownAt(p)})
	if r := l.Roots[0]; r.Complete || !strings.Contains(r.Lacks, point) {
		t.Errorf("sweep: %+v", r)
	}
	if s := l.Sightings; len(s) != 1 || s[0].Class != agent.Unknown || s[0].Err == "" {
		t.Errorf("known path on it: %+v", s)
	}
	release()
	eventually(t, "the mount stays refused", func() bool { return !tree.guard.hangs(point) })
	if got := probe(t, tree, p); got.Class != agent.Present {
		t.Errorf("answers again: %v %s", got.Class, got.Err)
	}
	l, c := sweep(t, tree, agent.SweepRequest{Roots: []string{root}, Known: knownAt(p)})
	if !l.Complete() || !slices.Equal(c.IDs, []agent.ID{"A1"}) {
		t.Errorf("answers again: %+v %v", l.Roots[0], c)
	}
}

func TestProbesWaitForALane(t *testing.T) {
	p := project(t, temp(t), "A1")
	tree := newTree(t, Options{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if got := probe(t, tree, p); got.Class != agent.Present {
				t.Errorf("%v %s", got.Class, got.Err)
			}
		})
	}
	wg.Wait()
}

func TestProbeEndsWithContext(t *testing.T) {
	root := temp(t)
	tree, _, _ := hung(t, root)
	tree.guard.timeout = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), brief)
	defer cancel()
	got := tree.Probe(ctx, agent.ProbeRequest{Path: root})
	if got.Class != agent.Unknown || got.Err != context.DeadlineExceeded.Error() {
		t.Errorf("%v %q", got.Class, got.Err)
	}
}

// A walk that hangs costs its own root its listing and nobody else's.
func TestHungWalk(t *testing.T) {
	root := temp(t)
	a, b := project(t, root+"/a/p", "A1"), project(t, root+"/b/p", "B1")
	tree := newTree(t, Options{ProbeTimeout: brief})
	req := agent.SweepRequest{Roots: []string{root + "/a", root + "/b"}, Known: knownAt(a, b)}
	sweep(t, tree, req)
	write(t, a+"/.dork/agent.json", manifest("HANG"))
	gate := make(chan struct{})
	tree.decode = func(data []byte) (*agent.Manifest, *agent.Violation) {
		if strings.Contains(string(data), "HANG") {
			<-gate
		}
		return agent.DecodeManifest(data)
	}
	l, c := sweep(t, tree, req)
	if l.Roots[0].Complete || l.Roots[0].Lacks == "" || !l.Roots[1].Complete {
		t.Errorf("%+v", l.Roots)
	}
	if s := l.Sightings; len(s) != 2 || s[0].Class != agent.Unknown || s[1].Class != agent.Present {
		t.Errorf("%+v", s)
	}
	if !slices.Equal(c.IDs, []agent.ID{"A1"}) {
		t.Errorf("changes %v", c)
	}
	close(gate)
	eventually(t, "the mount stays refused", func() bool { return !tree.guard.hangs(tree.mounts.point(a)) })
	if _, c := sweep(t, tree, req); !slices.Equal(c.IDs, []agent.ID{"HANG"}) {
		t.Errorf("answers again: %v", c)
	}
}

func TestPanicReachesTheCaller(t *testing.T) {
	tree := newTree(t, Options{})
	tree.look = func(*reader, agent.ProbeRequest) agent.Look { panic("boom") }
	defer func() {
		if v, _ := recover().(string); !strings.HasPrefix(v, "boom\n") {
			t.Errorf("recovered %q", v)
		}
		tree.look = tree.lookAt
		for range lanes + 1 {
			if got := probe(t, tree, os.TempDir()); got.Class != agent.FileMissing {
				t.Errorf("a lane was lost: %v", got)
			}
		}
	}()
	probe(t, tree, "/")
}
