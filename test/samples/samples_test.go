// Package samples runs the controller on real homes as the original system left
// them, where they are at hand, and compares with what each says of itself.
package samples

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/test/world"
)

var names = []string{"dorkos-2026-02", "dorkos-2026-08", "clean-2026-08"}

// sample is one unpacked home.
type sample struct {
	*testing.T
	name string
	dir  string
	expected
	w *world.World
}

func unpack(t *testing.T, name string) *sample {
	t.Helper()
	shared, err := filepath.Abs("../../../shared/samples")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(shared, "unpack.sh")); err != nil {
		t.Skip("the sample homes are not at hand (../shared/samples beside the project)")
	}
	dir := t.TempDir()
	if out, err := exec.Command("bash", filepath.Join(shared, "unpack.sh"), name, dir).CombinedOutput(); err != nil {
		t.Fatalf("unpack: %v\n%s", err, out)
	}
	s := &sample{T: t, name: name, dir: dir, expected: readExpected(t, filepath.Join(shared, name))}
	s.w = world.At(t, dir)
	s.w.Options.ScanRoots = nil // they are recorded in the index
	return s
}

func TestSamples(t *testing.T) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			s := unpack(t, name)
			before := s.rows()
			schema := s.foreign()
			files := tree(t, filepath.Join(s.dir, "projects"), filepath.Join(s.dir, "home/agents"))
			foreignRules := s.foreignRules()

			s.checkPlan(s.w.Plan(time.Time{}))
			began := time.Now()
			first := s.w.Sync()
			s.checkFirst(first)
			s.checkRows(before)
			s.checkAgents(s.w.Agents(), began)
			s.checkRules()
			s.checkLetters()
			s.checkMailboxes()
			if diff := cmp.Diff(foreignRules, s.foreignRules()); diff != "" {
				t.Errorf("rules that are not ours (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(schema, s.foreign()); diff != "" {
				t.Errorf("schema and rows of DorkOS (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(files, tree(t, filepath.Join(s.dir, "projects"), filepath.Join(s.dir, "home/agents"))); diff != "" {
				t.Errorf("projects (-before +after):\n%s", diff)
			}
			if _, err := os.Stat(filepath.Join(s.dir, "home/mesh.db")); err == nil {
				t.Error("a mesh.db appeared")
			}
			s.checkQuiet()
		})
	}
}

func (s *sample) checkPlan(p controller.PlanResult) {
	s.Helper()
	reasons := map[agent.ID]string{}
	for _, c := range p.Changes {
		reasons[c.ID] = string(c.Reason)
	}
	for _, a := range s.agents {
		if got := reasons[agent.ID(a["id"])]; a["plan"] != "" && !allows(a["plan"], got) {
			s.Errorf("plan of %s: %q, want %q", a["agent"], got, a["plan"])
		}
	}
	if s.name == "clean-2026-08" && p.Pending {
		s.Errorf("a home at rest has changes: %+v", p.Changes)
	}
}

func (s *sample) checkFirst(r controller.SyncResult) {
	s.Helper()
	got := map[string]int{
		"discovered": r.Counts.Discovered, "synced": r.Counts.Synced, "relocated": r.Counts.Relocated,
		"unreachable": r.Counts.Unreachable, "resurrected": r.Counts.Resurrected, "removed": r.Counts.Removed,
		"duplicates": r.Counts.Duplicates, "invalid": r.Counts.Invalid, "unknown": r.Counts.Unknown,
		"held": r.Counts.Held, "failed": r.Counts.Failed,
	}
	for name, want := range s.counts {
		if got[name] != want {
			s.Errorf("count %s: %d, want %d", name, got[name], want)
		}
	}
	if !r.Converged {
		s.Errorf("not converged: %+v", r.Failures)
	}
}

// checkQuiet makes the second sync and proves that nothing at all is written.
func (s *sample) checkQuiet() {
	s.Helper()
	home := filepath.Join(s.dir, "home")
	before := tree(s.T, home)
	rows := s.rows()
	second := s.w.Sync()
	c := second.Counts
	if n := c.Discovered + c.Synced + c.Relocated + c.Unreachable + c.Resurrected + c.Removed + c.Failed + c.Queued; n != 0 {
		s.Errorf("the second sync did something: %+v", c)
	}
	if s.name == "clean-2026-08" && c != (controller.Counts{Agents: c.Agents}) {
		s.Errorf("counts of a home at rest: %+v", c)
	}
	after := tree(s.T, home)
	for _, m := range []map[string]string{before, after} {
		for name := range m { // the lock is taken and let go
			if strings.HasSuffix(name, ".lock") && !strings.HasSuffix(name, "instance.lock") {
				delete(m, name)
			}
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		s.Errorf("the second sync wrote (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(rows, s.rows()); diff != "" {
		s.Errorf("rows of the second sync (-before +after):\n%s", diff)
	}
}

// tree is every entry below the roots: mode, size, inode, time, content of
// small files.
func tree(t *testing.T, roots ...string) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			m[path] = describe(path, info)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func describe(path string, info fs.FileInfo) string {
	s := info.Mode().String() + " " + inode(info)
	if info.Mode().IsRegular() {
		b, _ := os.ReadFile(path)
		s += " " + info.ModTime().Format(time.RFC3339Nano) + " " + string(b)
	}
	return s
}

func (s *sample) path(rel string) string { return filepath.Join(s.w.Dir, rel) }
