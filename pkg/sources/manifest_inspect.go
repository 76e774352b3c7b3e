package sources

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Inspect reads the manifest of a project for somebody who is going to write
// it, within ProbeTimeout. The path may be relative and lead through links;
// from the project directory to the manifest none is followed.
//
// The error is an agent.PathError where the path is at fault. What is wrong
// with the manifest, or could not be told about it, is in the Look.
func (t *Tree) Inspect(ctx context.Context, path string) (agent.ManifestFile, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return agent.ManifestFile{}, fmt.Errorf("inspect %s: %w", path, err)
	}
	p := newPulse(t.mounts.point(abs))
	return onMount(ctx, t.guard, p, "inspect "+abs, func() (agent.ManifestFile, error) {
		real, err := filepath.EvalSymlinks(abs)
		if err != nil {
			return agent.ManifestFile{}, unresolved(abs, err)
		}
		p.enter(t.mounts.point(real))
		return t.inspectAt(real)
	})
}

// inspectAt does the system calls; it blocks where the mount does.
func (t *Tree) inspectAt(path string) (agent.ManifestFile, error) {
	f := agent.ManifestFile{Path: path, Look: agent.Look{Path: path}}
	dir, err := openAt(unix.AT_FDCWD, path, pathFlags)
	if err != nil {
		return f, unopened(path, err)
	}
	defer unix.Close(dir)
	st, err := statFD(dir)
	if err != nil {
		return f, unopened(path, err)
	}
	dork, err := lstatAt(dir, dorkDir)
	if refused(err) {
		return f, unopened(path, err)
	}
	f.DorkDir = err == nil && kindOf(&dork) == unix.S_IFDIR
	f.Look.Dir, f.Look.Worktree = fileID(&st), inWorktree(path, &st)
	if f.Look.Mount, err = t.mounts.of(dir, path, &st); err != nil {
		f.Look.Err = errnoName(err)
		return f, nil
	}
	r := t.newReader()
	c := r.readBelow(dir)
	f.Look.Class, f.Look.Manifest, f.Look.Problem, f.Look.Err = c.class, c.manifest, c.problem, c.err
	f.Data, f.Mode = bytes.Clone(c.data), c.mode
	return f, nil
}
