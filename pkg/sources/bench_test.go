package sources

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// fleet makes n projects as they are found on disk: a hundred to a namespace,
// with files, directories with files in them, a repository and dependencies.
func fleet(b testing.TB, n int) string {
	b.Helper()
	root := temp(b)
	for i := range n {
		dir := filepath.Join(root, fmt.Sprintf("team-%04d", i/100), fmt.Sprintf("project-%06d", i))
		project(b, dir, fmt.Sprintf("agent-%06d", i))
		siblings := 5 + i*7%16
		for j := range siblings {
			if j%3 != 0 {
				write(b, filepath.Join(dir, fmt.Sprintf("file-%d.md", j)), "x")
				continue
			}
			for k := range 3 {
				write(b, filepath.Join(dir, fmt.Sprintf("src-%d", j), fmt.Sprintf("main-%d.go", k)), "x")
			}
		}
		if i%10 < 7 {
			write(b, filepath.Join(dir, ".git", "HEAD"), "x")
		}
		if i%10 < 3 {
			write(b, filepath.Join(dir, "node_modules", "a", "index.js"), "x")
		}
	}
	return root
}

const fleetSize = 10_000

func BenchmarkSweepCold(b *testing.B) {
	root := fleet(b, fleetSize)
	measure(b, func() {
		l, _ := sweep(b, newTree(b, Options{}), agent.SweepRequest{Roots: []string{root}})
		if len(l.Sightings) != fleetSize {
			b.Fatalf("%d sightings", len(l.Sightings))
		}
	})
}

func BenchmarkSweepQuiet(b *testing.B) {
	root := fleet(b, fleetSize)
	b.Run("floor", func(b *testing.B) { benchmarkFloor(b, root) })
	b.Run("scrub", func(b *testing.B) { benchmarkQuiet(b, root, Options{}) })
	b.Run("noscrub", func(b *testing.B) { benchmarkQuiet(b, root, Options{ScrubSweeps: NoScrub}) })
}

func benchmarkQuiet(b *testing.B, root string, opts Options) {
	tree := newTree(b, opts)
	before := heap()
	req := agent.SweepRequest{Roots: []string{root}}
	l, _ := sweep(b, tree, req)
	for _, s := range l.Sightings {
		req.Known = append(req.Known, agent.Known{Path: s.Path, ID: s.ID})
	}
	sweep(b, tree, req)
	held := heap() - before
	measure(b, func() {
		var c agent.Changes
		if l, c = sweep(b, tree, req); len(c.Paths) > 0 {
			b.Fatal("changes")
		}
	})
	b.ReportMetric(float64(l.Stats)/fleetSize, "stats/agent")
	b.ReportMetric(float64(held)/fleetSize, "B-held/agent")
}

// benchmarkFloor does the same stats and nothing else: what a quiet sweep
// cannot be cheaper than.
func benchmarkFloor(b *testing.B, root string) {
	tree := newTree(b, Options{})
	sweep(b, tree, agent.SweepRequest{Roots: []string{root}})
	var names []string
	var list func(n *node, path string)
	list = func(n *node, path string) {
		names = append(names, path+"\x00")
		if n.file != nil {
			names = append(names, path+"/"+manifestPath+"\x00")
		}
		for i := range n.kids() {
			list(&n.kids()[i], path+"/"+n.kids()[i].name)
		}
	}
	list(tree.trees[root], root)
	var st unix.Statx_t
	measure(b, func() {
		for _, name := range names {
			if errno := rawStatx(unix.AT_FDCWD, unsafe.StringData(name), unix.AT_SYMLINK_NOFOLLOW, &st); errno != 0 {
				b.Fatal(errno)
			}
		}
	})
	b.ReportMetric(float64(len(names))/fleetSize, "stats/agent")
}

// measure reports wall and processor time and allocations per agent.
func measure(b *testing.B, run func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := cpuTime()
	for b.Loop() {
		run()
	}
	per := float64(b.N) * fleetSize
	b.ReportMetric(float64(cpuTime()-cpu)/per, "cpu-ns/agent")
	b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N)/1e6, "cpu-ms/op")
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/per, "allocs/agent")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/per, "ns/agent")
}

func cpuTime() int64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkDiff compares two listings of ten thousand, one of which differs.
func BenchmarkDiff(b *testing.B) {
	var old seen
	for i := range fleetSize {
		old.Sightings = append(old.Sightings, agent.Sighting{
			Path: fmt.Sprintf("/home/ada/team-%03d/project-%05d", i/100, i), ID: agent.ID(fmt.Sprintf("01JBENCH%018d", i)), Class: agent.Present,
		})
		old.hashes = append(old.hashes, uint64(i))
	}
	now := seen{Listing: old.Listing, hashes: slices.Clone(old.hashes)}
	now.Sightings = slices.Clone(now.Sightings)
	now.hashes[fleetSize/2]++
	b.ReportAllocs()
	for b.Loop() {
		if c := compare(&old, &now); len(c.IDs) != 1 {
			b.Fatal(c)
		}
	}
}
