package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// files are the disk as one process sees it through the port.
type files struct {
	*life
	seen sweepMemory
}

var _ controller.Sources = (*files)(nil)

// Probe takes a fresh look.
func (s *files) Probe(_ context.Context, req agent.ProbeRequest) agent.Look {
	s.mu.Lock()
	defer s.mu.Unlock()
	look := agent.Look{Path: req.Path, Err: errGone.Error()}
	if s.enter("files.Probe", false) == nil {
		look = s.disk.look(req)
		s.watch.probed(&look)
	}
	return look
}

func (d *disk) look(req agent.ProbeRequest) agent.Look {
	look := agent.Look{Path: req.Path}
	if look.Err = d.errno(req.Path); look.Err != "" {
		return look
	}
	n := d.dir(req.Path)
	if n == nil {
		if e := d.errno(req.Anchor); e != "" {
			look.Err = e
			return look
		}
		look.Class, look.Err, look.Mount = agent.DirMissing, "ENOENT", d.covering(d.nearest(req.Path))
		look.AnchorGone = d.dir(req.Anchor) == nil
		return look
	}
	look.Dir, look.Mount = d.id(req.Path), d.covering(req.Path)
	look.Worktree = req.Worktree && n.worktree
	look.Class, look.Manifest, look.Problem = n.read()
	if look.Class == agent.FileMissing {
		look.Err = "ENOENT"
	}
	return look
}

// nearest is the nearest existing ancestor.
func (d *disk) nearest(p string) string {
	for d.dir(p) == nil {
		p = path.Dir(p)
	}
	return p
}

func (n *node) read() (agent.Evidence, *agent.Manifest, *agent.Violation) {
	switch {
	case n.file == nil:
		return agent.FileMissing, nil, nil
	case n.file.problem != nil:
		return agent.Invalid, nil, n.file.problem
	}
	return agent.Present, n.file.manifest, nil
}

// Inspect reads the manifest for somebody who is going to write it.
func (s *files) Inspect(_ context.Context, p string) (agent.ManifestFile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := agent.ManifestFile{Path: p, Look: agent.Look{Path: p}}
	if err := s.enter("files.Inspect", false); err != nil {
		return f, err
	}
	if e := s.disk.errno(p); e != "" {
		return f, fmt.Errorf("could not tell what %s is: %s", p, e)
	}
	n := s.disk.dir(p)
	if n == nil {
		return f, &agent.PathError{Path: p, Problem: "does not exist"}
	}
	f.Look = s.disk.look(agent.ProbeRequest{Path: p, Anchor: p, Worktree: true})
	f.DorkDir = n.file != nil
	if n.file != nil {
		f.Data, f.Mode = bytes.Clone(n.file.data), n.file.mode
	}
	return f, nil
}

// CreateManifest publishes a manifest where there is none.
func (s *files) CreateManifest(_ context.Context, p string, data []byte, mode fs.FileMode) (madeDir bool, err error) {
	err = s.alter("files.Create", p, func(n *node) error {
		if n.file != nil {
			return fmt.Errorf("%s: %w", p, fs.ErrExist)
		}
		madeDir = true
		s.disk.write(n, bytes.Clone(data), mode)
		return nil
	})
	return madeDir, err
}

// ReplaceManifest puts next in the place of expected.
func (s *files) ReplaceManifest(_ context.Context, p string, expected, next []byte) error {
	return s.alter("files.Replace", p, func(n *node) error {
		if n.file == nil || !bytes.Equal(n.file.data, expected) {
			return fmt.Errorf("%s: %w", p, agent.ErrConflict)
		}
		s.disk.write(n, bytes.Clone(next), n.file.mode)
		return nil
	})
}

// RemoveManifest takes the file away if it holds expected.
func (s *files) RemoveManifest(_ context.Context, p string, expected []byte, _ bool) error {
	err := s.alter("files.Remove", p, func(n *node) error {
		if n.file == nil {
			return nil
		}
		if !bytes.Equal(n.file.data, expected) {
			return fmt.Errorf("%s: %w", p, agent.ErrConflict)
		}
		s.disk.removeFile(p)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// alter is a write to what lies beside a manifest. One that a crash cuts short
// leaves something there.
func (s *files) alter(call, p string, write func(*node) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.act(call, p, func() error {
		if e := s.disk.errno(p); e != "" {
			return fmt.Errorf("%s: %s", p, e)
		}
		n := s.disk.dir(p)
		if n == nil {
			return fmt.Errorf("%s: %w", p, fs.ErrNotExist)
		}
		before := n.file
		err := write(n)
		if n.file != before {
			s.watch.wrote(call, p)
		}
		return err
	})
	if n := s.disk.dir(p); n != nil && errors.Is(err, errCrashed) {
		n.debris = true
	}
	return err
}

// RecoverManifest clears what an interrupted write left.
func (s *files) RecoverManifest(_ context.Context, p string) (recovered bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enter("files.Recover", false); err != nil {
		return false, err
	}
	if e := s.disk.errno(p); e != "" {
		return false, fmt.Errorf("%s: %s", p, e)
	}
	n := s.disk.dir(p)
	if n == nil || !n.debris {
		return false, nil
	}
	n.debris = false
	return true, nil
}
