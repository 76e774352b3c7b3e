package sources

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

const asNobody = "SOURCES_TEST_AS_NOBODY"

// unprivileged runs the calling test again as a user whom permissions bind,
// and reports whether it is that run.
func unprivileged(t *testing.T) bool {
	t.Helper()
	if os.Getenv(asNobody) != "" || os.Geteuid() != 0 {
		return true
	}
	exe, err := os.Executable()
	must(t, err)
	// Where the binary lies nobody may be able to go.
	data, err := os.ReadFile(exe)
	must(t, err)
	dir, err := os.MkdirTemp("/tmp", "sources")
	must(t, err)
	defer os.RemoveAll(dir)
	must(t, os.Chmod(dir, 0o755))
	bin := filepath.Join(dir, "sources.test")
	must(t, os.WriteFile(bin, data, 0o755))
	cmd := exec.Command(bin, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), asNobody+"=1", "TMPDIR=/tmp")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if _, ran := errors.AsType[*exec.ExitError](err); err != nil && !ran {
		t.Skipf("run as another user: %v", err)
	}
	if err != nil {
		t.Errorf("%s", out)
	}
	return false
}

func TestPermissions(t *testing.T) {
	if !unprivileged(t) {
		return
	}
	root := temp(t)
	lock := func(path string, mode os.FileMode) {
		must(t, os.Chmod(path, mode))
		t.Cleanup(func() { _ = os.Chmod(path, 0o755) })
	}
	for _, p := range []string{"dork", "file", "plain", "shut", "shut/below", "unlisted", "unlisted/below"} {
		project(t, filepath.Join(root, p), "ID")
	}
	mkdir(t, root+"/postgres/data")
	tree := newTree(t, Options{})
	known := []string{root + "/shut", root + "/shut/below", root + "/unlisted/below"}
	req := agent.SweepRequest{Roots: []string{root}, Known: knownAt(known...)}
	sweep(t, tree, req)

	lock(root+"/dork/.dork", 0)
	lock(root+"/file/.dork/agent.json", 0)
	lock(root+"/shut", 0)
	lock(root+"/unlisted", 0o311)
	lock(root+"/postgres", 0)
	req.Full = true
	for range 2 {
		l, _ := sweep(t, tree, req)
		want := []string{
			"dork Unknown", "file Unknown", "plain", "shut Unknown", "shut/below Unknown", "unlisted", "unlisted/below",
		}
		if diff := cmp.Diff(want, paths(t, l, root)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		r := l.Roots[0]
		if skipped := []string{root + "/postgres", root + "/shut", root + "/unlisted"}; !r.Complete || !slices.Equal(skipped, r.Skipped) {
			t.Errorf("report %+v, want complete and skipped %v", r, skipped)
		}
		for _, s := range l.Sightings {
			if s.Class == agent.Unknown && !strings.Contains(s.Err, "EACCES") {
				t.Errorf("%s: %q does not name the errno", s.Path, s.Err)
			}
		}
		req.Full = false
	}
	// At the depth limit nothing is listed, and what is shut is no project either.
	l, _ := sweep(t, newTree(t, Options{Depth: 1}), agent.SweepRequest{Roots: []string{root}})
	if diff := cmp.Diff([]string{"dork Unknown", "file Unknown", "plain", "unlisted"}, paths(t, l, root)); diff != "" {
		t.Errorf("at the depth limit (-want +got)\n%s", diff)
	}
	if skipped := []string{root + "/postgres", root + "/shut"}; !slices.Equal(skipped, l.Roots[0].Skipped) {
		t.Errorf("at the depth limit skipped %v, want %v", l.Roots[0].Skipped, skipped)
	}
	for path, class := range map[string]agent.Evidence{
		"dork": agent.Unknown, "file": agent.Unknown, "shut": agent.Unknown, "shut/below": agent.Unknown,
		"shut/nothing": agent.Unknown, "unlisted/below": agent.Present, "unlisted/nothing": agent.DirMissing,
	} {
		if got := probe(t, tree, filepath.Join(root, path)); got.Class != class {
			t.Errorf("probe %s: %v %s, want %v", path, got.Class, got.Err, class)
		}
	}
}
