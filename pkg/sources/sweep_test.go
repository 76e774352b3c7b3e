package sources

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestSweepFinds(t *testing.T) {
	root := temp(t)
	project(t, root, "ROOT")
	project(t, root+"/a", "A1")
	project(t, root+"/a/nested/deep", "A2")
	project(t, root+"/a-b", "A3")
	project(t, root+"/.claude/x", "A4")
	write(t, root+"/bad/.dork/agent.json", "{")
	mkdir(t, root+"/pipe/.dork")
	must(t, unix.Mkfifo(root+"/pipe/.dork/agent.json", 0o644))
	mkdir(t, root+"/linked")
	must(t, os.Symlink(root+"/a/.dork", root+"/linked/.dork"))
	must(t, os.Symlink(root+"/a", root+"/alias"))
	write(t, root+"/file/.dork", "x")
	mkdir(t, root+"/empty/.dork")
	for _, name := range []string{
		"node_modules", ".git", "vendor", "Library", "AppData", ".Trash", "dist", "build", ".cache", ".npm", ".nvm",
		".local", ".cargo", ".rustup", "__pycache__", ".venv", "venv", ".tox", "x.dorkos-bak-1", ".hidden", ".dork",
	} {
		project(t, filepath.Join(root, name, "p"), "NO")
	}
	tree := newTree(t, Options{})
	l, c := sweep(t, tree, agent.SweepRequest{Roots: []string{root}})
	want := []string{".", ".claude/x", "a", "a-b", "a/nested/deep", "bad ManifestInvalid", "linked ManifestInvalid", "pipe ManifestInvalid"}
	for i, s := range want {
		want[i] = strings.Replace(s, "ManifestInvalid", agent.Invalid.String(), 1)
	}
	if diff := cmp.Diff(want, paths(t, l, root)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !c.All || len(c.Paths)+len(c.IDs) > 0 {
		t.Errorf("changes %v", c)
	}
	r := l.Roots[0]
	if !r.Complete || r.Gone || r.Lacks != "" || r.Manifests != len(want) || r.Mount.IsZero() {
		t.Errorf("report %+v", r)
	}
	for i := range l.Sightings {
		if id := l.Sightings[i].ID; id != "" && !slices.Contains(l.Places(id), int32(i)) {
			t.Errorf("%s is at %d, not at one of %v", id, i, l.Places(id))
		}
	}
	again, _ := sweep(t, newTree(t, Options{}), agent.SweepRequest{Roots: []string{root}})
	if diff := cmp.Diff(l.Sightings, again.Sightings); diff != "" {
		t.Errorf("another tree sees otherwise (-first +second)\n%s", diff)
	}
}

func TestSweepDepth(t *testing.T) {
	root := temp(t)
	for _, p := range []string{"1", "1/2", "1/2/3", "1/2/3/4"} {
		project(t, filepath.Join(root, p), "D"+p[len(p)-1:])
	}
	tree := newTree(t, Options{Depth: 2})
	req := agent.SweepRequest{Roots: []string{root}}
	l, _ := sweep(t, tree, req)
	if diff := cmp.Diff([]string{"1", "1/2"}, paths(t, l, root)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	req.Known = knownAt(root+"/1/2/3", root+"/1/2/nothing")
	l, c := sweep(t, tree, req)
	if diff := cmp.Diff([]string{"1", "1/2", "1/2/3"}, paths(t, l, root)); diff != "" {
		t.Errorf("known and deeper (-want +got)\n%s", diff)
	}
	if !slices.Equal(c.Paths, []string{root + "/1/2/3"}) {
		t.Errorf("changes %v", c)
	}
	l, _ = sweep(t, newTree(t, Options{Depth: AtRoot}), agent.SweepRequest{Roots: []string{root + "/1"}})
	if diff := cmp.Diff([]string{"1"}, paths(t, l, root)); diff != "" {
		t.Errorf("at the root alone (-want +got)\n%s", diff)
	}
}

func TestSweepOverlappingRoots(t *testing.T) {
	root := temp(t)
	project(t, root+"/a", "A1")
	project(t, root+"/build/b", "B1")
	project(t, root+"/build/b/1/2", "B2")
	roots := []string{root + "/build", root}
	for range 2 {
		slices.Reverse(roots)
		l, _ := sweep(t, newTree(t, Options{Depth: 3}), agent.SweepRequest{Roots: append(roots, root)})
		if diff := cmp.Diff([]string{"a", "build/b", "build/b/1/2"}, paths(t, l, root)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		for _, r := range l.Roots {
			if want := map[string]int{root: 1, root + "/build": 2}[r.Path]; r.Manifests != want || len(l.Roots) != 2 {
				t.Errorf("%s has %d manifests, want %d", r.Path, r.Manifests, want)
			}
		}
	}
}

func TestSweepDenied(t *testing.T) {
	root := temp(t)
	project(t, root+"/a", "A1")
	project(t, root+"/no", "N1")
	project(t, root+"/no/below", "N2")
	project(t, root+"/north", "A2")
	tree := newTree(t, Options{})
	req := agent.SweepRequest{Roots: []string{root}, Known: knownAt(root+"/no", root+"/no/below")}
	sweep(t, tree, req)
	req.Denied = []string{root + "/no"}
	l, c := sweep(t, tree, req)
	if diff := cmp.Diff([]string{"a", "north"}, paths(t, l, root)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !slices.Equal(c.IDs, []agent.ID{"N1", "N2"}) {
		t.Errorf("changes %v", c)
	}
	req.Denied = []string{root + "/a", root + "/no/below"}
	sweep(t, tree, req)
	req.Denied = []string{root + "/no"}
	if _, c = sweep(t, tree, req); !slices.Equal(c.IDs, []agent.ID{"A1", "N1"}) {
		t.Errorf("one denied for another: changes %v", c)
	}
	req.Denied = []string{filepath.Dir(root)}
	if l, _ = sweep(t, tree, req); len(l.Sightings) != 0 || !l.Complete() {
		t.Errorf("root below a denied path: %v", paths(t, l, root))
	}
	req.Denied = nil
	if l, _ = sweep(t, tree, req); len(l.Sightings) != 4 {
		t.Errorf("allowed again: %v", paths(t, l, root))
	}
}

func TestSweepGoneRoot(t *testing.T) {
	root := temp(t)
	gone := root + "/gone"
	project(t, gone+"/a", "A1")
	tree := newTree(t, Options{})
	req := agent.SweepRequest{Roots: []string{gone}, Known: knownAt(gone + "/a")}
	before, _ := sweep(t, tree, req)
	must(t, os.Rename(gone, root+"/elsewhere"))
	l, c := sweep(t, tree, req)
	if r := l.Roots[0]; !r.Gone || !r.Complete || r.Mount != before.Roots[0].Mount {
		t.Errorf("report %+v", r)
	}
	if len(l.Sightings) != 0 || !slices.Equal(c.IDs, []agent.ID{"A1"}) {
		t.Errorf("sightings %v, changes %v", l.Sightings, c)
	}
	must(t, os.Symlink("/nowhere", gone))
	l, c = sweep(t, tree, req)
	if r := l.Roots[0]; r.Gone || r.Complete || len(c.Paths) > 0 {
		t.Errorf("a root that links nowhere: %+v, %v", r, c)
	}
	must(t, os.Remove(gone))
	must(t, os.Rename(root+"/elsewhere", gone))
	if l, c = sweep(t, tree, req); len(l.Sightings) != 1 || !slices.Equal(c.IDs, []agent.ID{"A1"}) {
		t.Errorf("returned: %v, %v", l.Sightings, c)
	}
}

func TestSweepEntryBound(t *testing.T) {
	root := temp(t)
	for _, p := range []string{"a", "b", "c", "d"} {
		project(t, filepath.Join(root, p), "ID-"+p)
		for i := range 5 {
			write(t, filepath.Join(root, p, string(rune('0'+i))), "x")
		}
	}
	req := agent.SweepRequest{Roots: []string{root}, Known: knownAt(root + "/d")}
	tree := newTree(t, Options{MaxEntries: 20})
	for range 2 { // listed, then remembered
		l, _ := sweep(t, tree, req)
		r := l.Roots[0]
		if r.Complete || !strings.Contains(r.Lacks, "MaxEntries") || !strings.Contains(r.Lacks, root) {
			t.Errorf("report %+v", r)
		}
		if diff := cmp.Diff([]string{"a", "b", "d"}, paths(t, l, root)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	l, _ := sweep(t, newTree(t, Options{MaxEntries: 28}), req)
	if !l.Complete() || len(l.Sightings) != 4 {
		t.Errorf("at the bound: %+v", l.Roots[0])
	}
}

func TestSweepSystem(t *testing.T) {
	root := temp(t)
	sys := strings.Replace(manifest("S1"), "{", `{"isSystem":true,"namespace":"Ops",`, 1)
	write(t, root+"/agents/s/.dork/agent.json", sys)
	write(t, root+"/agents-other/s/.dork/agent.json", strings.Replace(sys, "S1", "S2", 1))
	l, _ := sweep(t, newTree(t, Options{ManagedHome: root + "/agents"}), agent.SweepRequest{Roots: []string{root}})
	for _, s := range l.Sightings {
		if want := s.ID == "S1"; s.System != want || s.Namespace != "Ops" {
			t.Errorf("%+v, want system %v", s, want)
		}
	}
}

func TestSweepDuplicates(t *testing.T) {
	root := temp(t)
	for _, p := range []string{"c", "a", "b"} {
		project(t, filepath.Join(root, p), "SAME")
	}
	project(t, root+"/d", "OTHER")
	l, _ := sweep(t, newTree(t, Options{}), agent.SweepRequest{Roots: []string{root}})
	if same, other := l.Places("SAME"), l.Places("OTHER"); !slices.Equal(same, []int32{0, 1, 2}) || !slices.Equal(other, []int32{3}) || len(l.Places("NONE")) != 0 {
		t.Errorf("SAME at %v, OTHER at %v, NONE at %v", same, other, l.Places("NONE"))
	}
}

func TestSweepOutsideEveryRoot(t *testing.T) {
	dir := temp(t)
	p := project(t, dir+"/p", "A1")
	tree := newTree(t, Options{})
	req := agent.SweepRequest{Known: knownAt(p)}
	if l, c := sweep(t, tree, req); len(l.Sightings) != 1 || !c.All || l.Reads != 1 {
		t.Errorf("%v %v", l.Sightings, c)
	}
	if l, c := sweep(t, tree, req); c.All || len(c.Paths) != 0 || len(l.Sightings) != 1 {
		t.Errorf("quiet: %v", c)
	}
	write(t, p+"/.dork/agent.json", manifest("A2"))
	if _, c := sweep(t, tree, req); !slices.Equal(c.IDs, []agent.ID{"A1", "A2"}) {
		t.Errorf("edited: %v", c)
	}
	must(t, os.RemoveAll(p))
	for i, want := range []int{1, 0} {
		if l, c := sweep(t, tree, req); len(l.Sightings) != 0 || len(c.Paths) != want {
			t.Errorf("removed, sweep %d: %v %v", i, l.Sightings, c)
		}
	}
	req.Known = nil
	project(t, dir+"/p", "A1")
	if l, _ := sweep(t, tree, req); len(l.Sightings) != 0 {
		t.Errorf("no longer known: %v", l.Sightings)
	}
}

func TestSweepListingIsReused(t *testing.T) {
	root := temp(t)
	project(t, root+"/a", "A1")
	tree := newTree(t, Options{})
	first, _ := sweep(t, tree, agent.SweepRequest{Roots: []string{root}})
	second, _ := sweep(t, tree, agent.SweepRequest{Roots: []string{root}})
	if &first.Sightings[0] != &second.Sightings[0] {
		t.Error("sightings were made anew though nothing changed")
	}
	kept := slices.Clone(first.Sightings)
	write(t, root+"/a/.dork/agent.json", manifest("A2"))
	sweep(t, tree, agent.SweepRequest{Roots: []string{root}})
	if diff := cmp.Diff(kept, first.Sightings); diff != "" {
		t.Errorf("a listing was written to\n%s", diff)
	}
}

// The walk reads one manifest into the memory of the last: what it found must not
// change with it, neither where it is new nor where it says something else.
func TestSightingsKeepTheirText(t *testing.T) {
	root := temp(t)
	tree := newTree(t, Options{})
	req := agent.SweepRequest{Roots: []string{root}}
	for _, turn := range []string{"1", "2"} {
		want := []string{}
		for _, name := range []string{"a", "b", "c"} {
			write(t, root+"/"+name+"/.dork/agent.json", strings.Replace(manifest(name+turn), "{", `{"namespace":"ns-`+name+turn+`",`, 1))
			want = append(want, name+turn+" ns-"+name+turn)
		}
		l, _ := sweep(t, tree, req)
		got := []string{}
		for i := range l.Sightings {
			got = append(got, string(l.Sightings[i].ID)+" "+l.Sightings[i].Namespace)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// What a sweep found that ended too early is told by the next one.
func TestSweepTornTellsLater(t *testing.T) {
	root := temp(t)
	project(t, root+"/a", "A1")
	tree := newTree(t, Options{})
	req := agent.SweepRequest{Roots: []string{root}, Now: later()}
	sweep(t, tree, req)
	write(t, root+"/a/.dork/agent.json", manifest("A2"))
	ctx, cancel := context.WithCancel(t.Context())
	tree.decode = func(data []byte) (*agent.Manifest, *agent.Violation) {
		cancel()
		return agent.DecodeManifest(data)
	}
	if _, _, err := tree.Sweep(ctx, req); err == nil {
		t.Fatal("the sweep did not end")
	}
	tree.decode = nil
	if _, c := sweep(t, tree, req); !slices.Equal(c.IDs, []agent.ID{"A1", "A2"}) {
		t.Errorf("changes %v", c)
	}
}

// A root that is learnt by several walkers lists what one lists, complete in
// the same way.
func TestForkedWalkListsTheSame(t *testing.T) {
	root := temp(t)
	for i := range 3 * shareFrom {
		for j := range 4 {
			project(t, filepath.Join(root, fmt.Sprintf("team-%02d/p%d", i, j)), fmt.Sprintf("T%dP%d", i, j))
		}
	}
	if os.Getuid() != 0 {
		if err := os.Chmod(filepath.Join(root, "team-05"), 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(root, "team-05"), 0o700) })
	}
	req := agent.SweepRequest{Roots: []string{root}}
	tree := newTree(t, Options{})
	first, changes := sweep(t, tree, req)
	second, again := sweep(t, tree, req)
	if len(again.IDs) != 0 || again.All || !changes.All {
		t.Errorf("changes %v, then %v", changes, again)
	}
	for _, l := range []*agent.Listing{first, second} {
		if !slices.IsSortedFunc(l.Sightings, func(a, b agent.Sighting) int { return strings.Compare(a.Path, b.Path) }) {
			t.Error("not in the order of the paths")
		}
	}
	if d := cmp.Diff(first.Sightings, second.Sightings); d != "" {
		t.Error(d)
	}
	a, b := first.Roots[0], second.Roots[0]
	if a.Directories != b.Directories || a.Manifests != b.Manifests || a.Complete != b.Complete || !slices.Equal(a.Skipped, b.Skipped) {
		t.Errorf("the report is %+v, then %+v", a, b)
	}
}

// At the depth limit a directory beside a project is taken for one too, and
// what it is instead is found out: later it costs no more than it has to.
func TestSweepGuessesAtTheDepthLimit(t *testing.T) {
	root := temp(t)
	for _, p := range []string{"a", "c", "e", "g"} {
		project(t, filepath.Join(root, p), "ID-"+p)
	}
	mkdir(t, root+"/b/docs")
	write(t, root+"/d/.dork", "x")
	mkdir(t, root+"/d/docs")
	mkdir(t, root+"/f/.dork")
	mkdir(t, root+"/h/docs")
	must(t, os.Symlink(root+"/a/.dork", root+"/h/.dork"))
	tree := newTree(t, Options{Depth: 1, ScrubSweeps: NoScrub})
	req := agent.SweepRequest{Roots: []string{root}}
	for range 2 {
		l, _ := sweep(t, tree, req)
		if diff := cmp.Diff([]string{"a", "c", "e", "g", "h " + agent.Invalid.String()}, paths(t, l, root)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	for name, kind := range map[string]dorkKind{"a": realDork, "b": noDork, "d": otherDork, "f": realDork, "h": otherDork} {
		if got := tree.trees[root].find(name).dork; got != kind {
			t.Errorf("%s: %d, want %d", name, got, kind)
		}
	}
}

// Who asks is told of a manifest that was edited where it lies before the sweep
// ends, and of nothing else: all other changes need the whole listing.
func TestEditsAreToldMeanwhile(t *testing.T) {
	root := temp(t)
	for _, p := range []string{"edited", "same", "gone", "renamed", "broken"} {
		project(t, root+"/"+p, strings.ToUpper(p))
	}
	tree := newTree(t, Options{})
	var mu sync.Mutex
	var told []agent.ID
	req := agent.SweepRequest{Roots: []string{root}, Edited: func(id agent.ID) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, id)
	}}
	sweep(t, tree, req)
	if len(told) > 0 {
		t.Errorf("the first sweep tells of %v", told)
	}
	write(t, root+"/edited/.dork/agent.json", strings.Replace(manifest("EDITED"), `"name"`, `"color":"#fff","name"`, 1))
	must(t, os.RemoveAll(root+"/gone"))
	write(t, root+"/renamed/.dork/agent.json", manifest("OTHER"))
	write(t, root+"/broken/.dork/agent.json", "{")
	project(t, root+"/new", "NEW")
	if _, c := sweep(t, tree, req); !slices.Equal(told, []agent.ID{"EDITED"}) || len(c.Paths) != 5 {
		t.Errorf("told of %v; changed: %v", told, c.Paths)
	}
	if sweep(t, tree, req); len(told) != 1 {
		t.Errorf("told again: %v", told)
	}
}

// A listing takes over the strings of what is on record, and one that was handed
// out stays as it is.
func TestStringsOnRecordAreShared(t *testing.T) {
	root := temp(t)
	for _, p := range []string{"a", "b"} {
		project(t, root+"/"+p, strings.ToUpper(p))
	}
	tree := newTree(t, Options{})
	req := agent.SweepRequest{Roots: []string{root}}
	first, _ := sweep(t, tree, req)
	path, id := unsafe.StringData(first.Sightings[0].Path), unsafe.StringData(string(first.Sightings[0].ID))
	req.Known = []agent.Known{{Path: strings.Clone(root + "/a"), ID: "A"}}
	write(t, root+"/b/.dork/agent.json", manifest("C")) // so that there is another listing
	second, _ := sweep(t, tree, req)
	if unsafe.StringData(first.Sightings[0].Path) != path || unsafe.StringData(string(first.Sightings[0].ID)) != id {
		t.Error("the listing that was handed out has changed")
	}
	if unsafe.StringData(second.Sightings[0].Path) != unsafe.StringData(req.Known[0].Path) || second.Sightings[0].ID != "A" {
		t.Error("the path on record is not shared")
	}
}

// knownAt are paths on record, with ids that nobody else has.
func knownAt(paths ...string) []agent.Known {
	known := make([]agent.Known, len(paths))
	for i, p := range paths {
		known[i] = agent.Known{Path: p, ID: agent.ID(p)}
	}
	return known
}
