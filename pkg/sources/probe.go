package sources

import (
	"context"
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Probe takes one fresh look at a project, within ProbeTimeout. It remembers
// nothing and may run beside a sweep and beside other probes.
//
// The path is followed where it is a link: a directory that was moved and
// linked to from its old place is told by Look.Dir to be the same one. From
// there to the manifest no link is followed.
func (t *Tree) Probe(ctx context.Context, req agent.ProbeRequest) agent.Look {
	doubt := agent.Look{Path: req.Path}
	point := t.mounts.point(req.Path)
	lane, err := t.guard.take(ctx, point)
	if err != nil {
		doubt.Err = err.Error()
		return doubt
	}
	e := t.errand(point)
	e.lane, e.req = lane, req
	switch {
	case t.guard.watch(ctx, e.pulse, e.work):
		look := e.look
		e.look = agent.Look{}
		t.errands.Put(e)
		return look
	case ctx.Err() != nil:
		doubt.Err = ctx.Err().Error()
	default:
		doubt.Err = noAnswer(point).Error()
	}
	return doubt
}

// errand is what a probe works with. It is used again unless the probe was
// left behind.
type errand struct {
	reader
	*pulse
	work func()
	lane *bulkhead
	req  agent.ProbeRequest
	look agent.Look
}

func (t *Tree) errand(point string) *errand {
	if e, pooled := t.errands.Get().(*errand); pooled {
		e.again(point)
		return e
	}
	e := &errand{reader: t.newReader(), pulse: newPulse(point)}
	e.work = func() {
		defer e.lane.release()
		e.look = t.look(&e.reader, e.req)
	}
	return e
}

// lookAt does the system calls of a probe; it blocks where the mount does.
func (t *Tree) lookAt(r *reader, req agent.ProbeRequest) agent.Look {
	look := agent.Look{Path: req.Path}
	dir, err := openAt(unix.AT_FDCWD, req.Path, pathFlags)
	if err != nil {
		if absent(err) {
			t.lookAround(&look, req, err)
		} else {
			look.Err = errnoName(err)
		}
		return look
	}
	defer unix.Close(dir)
	st, err := statFD(dir)
	if err != nil {
		look.Err = errnoName(err)
		return look
	}
	look.Dir = fileID(&st)
	if look.Mount, err = t.mounts.of(dir, req.Path, &st); err != nil {
		look.Err = errnoName(err)
		return look
	}
	c := r.readBelow(dir)
	look.Class, look.Manifest, look.Problem, look.Err = c.class, c.manifest, c.problem, c.err
	if req.Worktree {
		look.Worktree = inWorktree(req.Path, &st)
	}
	return look
}

// lookAround tells what is there where the project directory is not: which
// volume, and whether the anchor stands.
func (t *Tree) lookAround(look *agent.Look, req agent.ProbeRequest, cause error) {
	at, mount, err := t.nearest(req.Path)
	if err != nil {
		look.Err = err.Error()
		return
	}
	gone := false
	if !agent.Within(at, req.Anchor) { // else the anchor is the directory at at, or leads to it
		if gone, err = goneDir(req.Anchor); err != nil {
			look.Err = err.Error()
			return
		}
	}
	look.Class, look.Err, look.Mount, look.AnchorGone = agent.DirMissing, errnoName(cause), mount, gone
}

// nearest is the nearest existing directory above a path that was not there, and
// its mount. A link on the way that leads nowhere is no proof of absence: what it
// pointed to may lie on a volume that is not mounted.
func (t *Tree) nearest(path string) (at string, _ agent.Mount, _ error) {
	for p := path; ; p = filepath.Dir(p) {
		st, err := lstatAt(unix.AT_FDCWD, p)
		if err == nil && kindOf(&st) == unix.S_IFLNK {
			st, err = statAt(unix.AT_FDCWD, p, 0)
			if absent(err) || err == nil && kindOf(&st) != unix.S_IFDIR {
				return "", agent.Mount{}, errors.New(p + ": is a symbolic link that leads to no directory")
			}
		}
		switch {
		case err == nil && kindOf(&st) == unix.S_IFDIR && p == path:
			return "", agent.Mount{}, errors.New(p + ": appeared while it was looked at")
		case err == nil && kindOf(&st) == unix.S_IFDIR:
			mount, err := t.mountAt(p, &st)
			return p, mount, err
		case err != nil && !absent(err) || p == "/":
			return "", agent.Mount{}, lookError(p, err)
		}
	}
}

// mountAt is the mount of the directory at path, as it was statted.
func (t *Tree) mountAt(path string, st *unix.Statx_t) (agent.Mount, error) {
	if mount, known := t.mounts.known(st); known {
		return mount, nil
	}
	dir, err := openAt(unix.AT_FDCWD, path, pathFlags)
	if err != nil {
		return agent.Mount{}, lookError(path, err)
	}
	defer unix.Close(dir)
	now, err := statFD(dir)
	if err != nil {
		return agent.Mount{}, lookError(path, err)
	}
	return t.mounts.of(dir, path, &now)
}

// goneDir reports whether nothing, or something else than a directory, is at
// path. It is false for "".
func goneDir(path string) (bool, error) {
	if path == "" {
		return false, nil
	}
	st, err := statAt(unix.AT_FDCWD, path, 0)
	switch {
	case absent(err):
		return true, nil
	case err != nil:
		return false, lookError(path, err)
	}
	return kindOf(&st) != unix.S_IFDIR, nil
}

func lookError(path string, err error) error { return errors.New(path + ": " + errnoName(err)) }
