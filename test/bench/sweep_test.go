package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/test/world"
)

var sizes = []int{1_000, 10_000}

// trees are made once for each size: making one takes longer than measuring.
var trees = map[int]string{}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range trees {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// freshHome lies beside the tree of n projects.
func freshHome(b *testing.B, n int) *world.World {
	b.Helper()
	if trees[n] == "" {
		dir, err := os.MkdirTemp("", "mesh-bench-")
		if err != nil {
			b.Fatal(err)
		}
		trees[n] = dir
		if err := Tree(dir, n); err != nil {
			b.Fatal(err)
		}
	}
	w := world.New(b)
	w.Options.ScanRoots = []string{trees[n]}
	return w
}

// cpu is the time that this process has used so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCold is the first sync of an empty home: rows, mailboxes and rules
// of everybody.
func BenchmarkCold(b *testing.B) {
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				w := freshHome(b, n)
				before := cpu()
				b.StartTimer()
				r := w.Sync()
				b.ReportMetric(float64(cpu()-before)/float64(n)/1e3, "cpu-us/agent")
				if r.Counts.Discovered != n || !r.Converged {
					b.Fatalf("%+v", r)
				}
			}
		})
	}
}

// BenchmarkQuiet is the sweep of the interval in a converged home.
func BenchmarkQuiet(b *testing.B) { benchmarkSweep(b, "interval") }

// BenchmarkQuietSync is the same on demand: it looks inside every project.
func BenchmarkQuietSync(b *testing.B) { benchmarkSweep(b, "api") }

func benchmarkSweep(b *testing.B, trigger string) {
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			w := settledHome(b, n)
			before, rounds := cpu(), 0
			for b.Loop() {
				rounds++
				r, err := w.Loop().Sync(b.Context(), controller.SyncRequest{Trigger: trigger})
				if err != nil || r.Counts.Queued != 0 {
					b.Fatalf("not quiet: %+v, %v", r.Counts, err)
				}
			}
			b.ReportMetric(float64(cpu()-before)/float64(rounds)/1e6, "cpu-ms/sweep")
			b.ReportMetric(0, "B/op")
		})
	}
}

// settledHome is a running controller that has nothing left to do and trusts
// what it remembers.
func settledHome(b *testing.B, n int) *world.World {
	b.Helper()
	w := freshHome(b, n)
	w.Start()
	<-w.Loop().Ready()
	time.Sleep(3 * time.Second) // what was just written is racy for two seconds
	for range 3 {
		w.Sync()
	}
	return w
}

// BenchmarkEdit is one edit among many, from the trigger to the proof.
func BenchmarkEdit(b *testing.B) {
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			w := settledHome(b, n)
			path := filepath.Join(trees[n], "team-0000/project-000001/.dork/agent.json")
			i := 0
			for b.Loop() {
				i++
				edit(b, path, i)
				if r := w.Sync(); r.Counts.Synced != 1 {
					b.Fatalf("%+v", r.Counts)
				}
			}
		})
	}
}

func edit(b *testing.B, path string, i int) {
	b.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	next := regexp.MustCompile(`"name": "[^"]*"`).ReplaceAll(data, fmt.Appendf(nil, `"name": "edited-%06d"`, i))
	if err := os.WriteFile(path, next, 0o644); err != nil {
		b.Fatal(err)
	}
}
