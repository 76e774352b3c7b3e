package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// remembered is a tree that has settled on one project.
func remembered(t *testing.T, opts Options) (*Tree, agent.SweepRequest, string) {
	t.Helper()
	root := temp(t)
	project(t, root+"/a", "A1")
	tree, req := newTree(t, opts), agent.SweepRequest{Roots: []string{root}}
	sweep(t, tree, req)
	return tree, req, root + "/a/.dork/agent.json"
}

func TestQuietSweepReadsNothing(t *testing.T) {
	tree, req, file := remembered(t, Options{ScrubSweeps: NoScrub})
	for range 3 {
		if l, c := sweep(t, tree, req); l.Reads != 0 || len(c.Paths) != 0 || len(l.Sightings) != 1 {
			t.Errorf("%d reads, changes %v", l.Reads, c)
		}
	}
	must(t, os.Chtimes(file, time.Time{}, time.Now()))
	if l, c := sweep(t, tree, req); l.Reads != 1 || len(c.Paths) != 0 {
		t.Errorf("touched: %d reads, changes %v; want one and none", l.Reads, c)
	}
	req.Full = true
	if l, c := sweep(t, tree, req); l.Reads != 1 || len(c.Paths) != 0 {
		t.Errorf("full: %d reads, changes %v; want one and none", l.Reads, c)
	}
}

func TestChangesAreSeen(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, file string){
		"in place, same size": func(t *testing.T, file string) {
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			must(t, err)
			_, err = f.WriteString(manifest("B2"))
			must(t, err)
			must(t, f.Close())
		},
		"rename, times kept": func(t *testing.T, file string) {
			st, err := os.Stat(file)
			must(t, err)
			write(t, file+".tmp", manifest("B2"))
			must(t, os.Chtimes(file+".tmp", st.ModTime(), st.ModTime()))
			must(t, os.Rename(file+".tmp", file))
		},
		"in place, mtime restored": func(t *testing.T, file string) {
			st, err := os.Stat(file)
			must(t, err)
			must(t, os.WriteFile(file, []byte(manifest("B2")), 0))
			must(t, os.Chtimes(file, st.ModTime(), st.ModTime()))
		},
		"project replaced": func(t *testing.T, file string) {
			p := filepath.Dir(filepath.Dir(file))
			must(t, os.Rename(p, p+"-old"))
			project(t, p, "B2")
			must(t, os.RemoveAll(p+"-old"))
		},
		".dork replaced": func(t *testing.T, file string) {
			d := filepath.Dir(file)
			must(t, os.Rename(d, d+"-old"))
			write(t, file, manifest("B2"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree, req, file := remembered(t, Options{ScrubSweeps: NoScrub})
			change(t, file)
			_, c := sweep(t, tree, req)
			if !slices.Equal(c.IDs, []agent.ID{"A1", "B2"}) {
				t.Errorf("changes %v", c)
			}
		})
	}
}

// The same content moved behind a link is the same file to every stamp.
func TestDorkReplacedByLinkToItself(t *testing.T) {
	tree, req, file := remembered(t, Options{ScrubSweeps: NoScrub})
	dork := filepath.Dir(file)
	must(t, os.Rename(dork, dork+"-moved"))
	must(t, os.Symlink(dork+"-moved", dork))
	l, _ := sweep(t, tree, req)
	if len(l.Sightings) != 1 || l.Sightings[0].Class != agent.Invalid {
		t.Errorf("%+v, want Invalid", l.Sightings)
	}
}

func TestRacyFileIsReadAgain(t *testing.T) {
	tree, req, file := remembered(t, Options{ScrubSweeps: NoScrub})
	req.Now = time.Now()
	must(t, os.WriteFile(file, []byte(manifest("A3")), 0))
	sweep(t, tree, req)
	if l, c := sweep(t, tree, req); l.Reads != 1 || len(c.Paths) != 0 {
		t.Errorf("young: %d reads, changes %v; want one and none", l.Reads, c)
	}
	req.Now = later()
	sweep(t, tree, req)
	if l, _ := sweep(t, tree, req); l.Reads != 0 {
		t.Errorf("settled: %d reads", l.Reads)
	}
}

// A racy stamp hides nothing, even where it is equal: the forged memory stands
// for a write that landed after the stamp was taken.
func TestRacyRuleCatchesEqualStamp(t *testing.T) {
	tree, req, file := remembered(t, Options{ScrubSweeps: NoScrub})
	req.Now = time.Now()
	must(t, os.WriteFile(file, []byte(manifest("A3")), 0))
	sweep(t, tree, req)
	tree.trees[req.Roots[0]].find("a").file.hash++
	tree.last.hashes[0]++
	if _, c := sweep(t, tree, req); len(c.Paths) != 1 {
		t.Errorf("changes %v, want one", c)
	}
}

// Writes in place, of the same size, that race the sweep: the sweep after the
// last of them knows what the file holds.
func TestRacingWritesAreNotMissed(t *testing.T) {
	tree, req, file := remembered(t, Options{ScrubSweeps: NoScrub})
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	for round := range max(1000, *rewrites/10) {
		id := fmt.Sprintf("%02d", round%100)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = f.WriteAt([]byte(manifest(id)), 0)
		}()
		req.Now = time.Now()
		sweep(t, tree, req)
		<-done
		req.Now = time.Now()
		if l, _ := sweep(t, tree, req); len(l.Sightings) != 1 || l.Sightings[0].ID != agent.ID(id) {
			t.Fatalf("round %d: %+v, want %s", round, l.Sightings, id)
		}
	}
}

func TestScrubCatchesHiddenWrite(t *testing.T) {
	tree, req, file := remembered(t, Options{ScrubSweeps: 4})
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	mem, err := unix.Mmap(int(f.Fd()), 0, len(manifest("A1")), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	must(t, err)
	defer func() { must(t, unix.Munmap(mem)) }()
	copy(mem, manifest("A2")) // moves the times
	sweep(t, tree, req)
	copy(mem, manifest("A3")) // the page is dirty already: moves nothing
	reads, ids := 0, []agent.ID{}
	for range 4 {
		l, c := sweep(t, tree, req)
		reads += l.Reads
		ids = append(ids, c.IDs...)
	}
	if reads == 0 || !slices.Equal(ids, []agent.ID{"A2", "A3"}) {
		t.Errorf("%d reads, changes %v", reads, ids)
	}
}

func TestScrubReadsEachOncePerRound(t *testing.T) {
	root := temp(t)
	for i := range 50 {
		project(t, filepath.Join(root, "p"+strings.Repeat("x", i)), "ID")
	}
	tree, req := newTree(t, Options{}), agent.SweepRequest{Roots: []string{root}}
	sweep(t, tree, req)
	reads := 0
	for range 12 {
		l, _ := sweep(t, tree, req)
		reads += l.Reads
	}
	if reads != 50 {
		t.Errorf("%d reads in a round, want 50", reads)
	}
}

// A directory that holds no other is not listed where its link count says so,
// and what comes into it is found all the same.
func TestChildlessIsNotListed(t *testing.T) {
	root := temp(t)
	write(t, root+"/leaf/file", "x")
	write(t, root+"/stem/file", "x")
	mkdir(t, root+"/stem/leaf")
	tree := newTree(t, Options{})
	req := agent.SweepRequest{Roots: []string{root}}
	l, _ := sweep(t, tree, req)
	if !countsDirectories(l.Roots[0].Mount.Type) {
		t.Skipf("%s counts no directories", l.Roots[0].Mount.Type)
	}
	for path, entries := range map[string]int32{"leaf": 0, "stem": 2, "stem/leaf": 0} {
		if n := tree.trees[root].find(path); n == nil || n.entries != entries || !n.settled {
			t.Errorf("%s: %+v, want %d entries read", path, n, entries)
		}
	}
	must(t, os.Symlink(root+"/stem", root+"/stem/leaf/.dork"))
	project(t, root+"/leaf/deep/er", "A1")
	if l, _ = sweep(t, tree, req); !slices.Equal(paths(t, l, root), []string{"leaf/deep/er", "stem/leaf " + agent.Invalid.String()}) {
		t.Errorf("%v", paths(t, l, root))
	}
	must(t, os.RemoveAll(root+"/leaf/deep"))
	must(t, os.Remove(root+"/stem/leaf/.dork"))
	if l, _ = sweep(t, tree, req); len(l.Sightings) != 0 || tree.trees[root].find("leaf/deep") != nil {
		t.Errorf("%v", paths(t, l, root))
	}
}

func TestNewAndVanished(t *testing.T) {
	tree, req, file := remembered(t, Options{})
	root := req.Roots[0]
	project(t, root+"/x/y", "Y1")
	mkdir(t, root+"/z")
	if _, c := sweep(t, tree, req); !slices.Equal(c.Paths, []string{root + "/x/y"}) {
		t.Errorf("new: %v", c)
	}
	project(t, root+"/z", "Z1")
	must(t, os.Remove(file))
	l, c := sweep(t, tree, req)
	if !slices.Equal(c.Paths, []string{root + "/a", root + "/z"}) || !slices.Equal(c.IDs, []agent.ID{"A1", "Z1"}) {
		t.Errorf("one new, one vanished: %v", c)
	}
	if !slices.Equal(paths(t, l, root), []string{"x/y", "z"}) {
		t.Errorf("%v", paths(t, l, root))
	}
	must(t, os.RemoveAll(root+"/x"))
	must(t, os.Rename(root+"/z", root+"/zz"))
	if _, c := sweep(t, tree, req); !slices.Equal(c.Paths, []string{root + "/x/y", root + "/z", root + "/zz"}) {
		t.Errorf("moved: %v", c)
	}
	if _, c := sweep(t, tree, req); len(c.Paths) != 0 {
		t.Errorf("quiet: %v", c)
	}
}
