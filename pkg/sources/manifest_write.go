package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// manifestMode is that of a new manifest where the caller names none, whatever
// the umask: it is usually committed, and holds nothing that is secret to those
// who may enter .dork.
const manifestMode = 0o644

var errLate = errors.New("the mount answered too late; nothing was written")

// CreateManifest publishes a manifest where there is none, in one step:
// fs.ErrExist where anything has its name. It makes .dork where that is not
// there, and says so; mode is that of the file, 0 for 0644. After an error that is gone again unless somebody put
// something into it. The project directory must exist. A crash leaves all of
// it or nothing but an empty .dork.
func (t *Tree) CreateManifest(ctx context.Context, project string, data []byte, mode fs.FileMode) (madeDir bool, err error) {
	madeDir, err = writing(ctx, t, project, func(p *pulse) (bool, error) {
		d, err := t.project(project)
		if err != nil {
			return false, err
		}
		defer d.close()
		if p.stopped() {
			return false, errLate
		}
		if mode == 0 {
			mode = manifestMode
		}
		return d.create(data, mode)
	})
	return madeDir, unwritten(project+"/"+manifestPath, err)
}

func (d projectDir) create(data []byte, mode fs.FileMode) (made bool, err error) {
	if made, err = d.makeDork(); err != nil {
		return false, err
	}
	if err = d.publish(data, mode, made); err == nil || !made {
		return made, err
	}
	removed, undone := d.removeDork()
	return !removed, errors.Join(err, undone)
}

// publish writes the new manifest, and takes it back where it could not be made
// durable: an error means that it is not there.
func (d projectDir) publish(data []byte, mode fs.FileMode, made bool) error {
	dork, err := d.dork()
	if err != nil {
		return err
	}
	defer dork.Close()
	err = atomicfile.WriteNewAt(dork, manifestName, data, atomicfile.Options{Mode: mode})
	written := err == nil || errors.Is(err, atomicfile.ErrNotSynced)
	if err == nil && made {
		err = d.sync()
	}
	if err != nil && written {
		return takeBack(dork, data, err)
	}
	return err
}

// takeBack removes a manifest that could not be synced, so that the error is
// not ErrNotSynced any more. What is no longer ours stays.
func takeBack(dork *os.File, data []byte, cause error) error {
	err := atomicfile.RemoveAt(dork, manifestName, data)
	if err != nil && !errors.Is(err, atomicfile.ErrChanged) && !errors.Is(err, atomicfile.ErrNotSynced) {
		return errors.Join(cause, err)
	}
	if errno, ok := errors.AsType[unix.Errno](cause); ok {
		cause = errno
	}
	return fmt.Errorf("a directory could not be synced, so it was taken back: %w", cause)
}

// ReplaceManifest puts next in the place of expected, in one step:
// agent.ErrConflict, and nothing was changed, where the file does not hold
// expected or is not there. Mode, owner and group are kept. An error that is
// atomicfile.ErrNotSynced means that next is there and may not survive a power
// failure.
func (t *Tree) ReplaceManifest(ctx context.Context, project string, expected, next []byte) error {
	if expected == nil {
		expected = []byte{} // an empty file: none at all is CreateManifest's
	}
	_, err := inDork(ctx, t, project, func(_ projectDir, dork *os.File) (bool, error) {
		return false, atomicfile.ReplaceAt(dork, manifestName, expected, next, atomicfile.Options{})
	})
	return conflict(project, err)
}

// RemoveManifest takes the file away if it holds expected: agent.ErrConflict,
// and nothing was changed, where it holds anything else. With dorkDirToo an
// empty .dork goes as well; nothing else of the project is touched. What is
// not there is removed already: calling it again is no error, and finishes
// what a crash cut short. An error that is atomicfile.ErrNotSynced means that
// all is gone and may come back after a power failure.
func (t *Tree) RemoveManifest(ctx context.Context, project string, expected []byte, dorkDirToo bool) error {
	if expected == nil {
		expected = []byte{}
	}
	_, err := inDork(ctx, t, project, func(d projectDir, dork *os.File) (bool, error) {
		if dorkDirToo {
			return d.removeBoth(dork, expected)
		}
		return false, atomicfile.RemoveAt(dork, manifestName, expected)
	})
	if missingDir(err) {
		return nil
	}
	return conflict(project, err)
}

// removeBoth opens what is to be synced before anything goes.
func (d projectDir) removeBoth(dork *os.File, expected []byte) (removed bool, err error) {
	dir, err := d.handle()
	if err != nil {
		return false, err
	}
	defer dir.Close()
	if err := atomicfile.RemoveAt(dork, manifestName, expected); err != nil {
		return false, err
	}
	if removed, err = d.removeDork(); removed {
		err = atomicfile.SyncDirAt(dir)
	}
	return removed, err
}

// RecoverManifest finishes what a crash interrupted beside a manifest, and
// reports whether there was anything: see atomicfile.Recover. Where there is no
// .dork there is nothing to do. It costs one listing of .dork.
func (t *Tree) RecoverManifest(ctx context.Context, project string) (recovered bool, err error) {
	recovered, err = inDork(ctx, t, project, func(_ projectDir, dork *os.File) (bool, error) {
		return atomicfile.RecoverAt(dork)
	})
	if missingDir(err) || errors.Is(err, errOtherDork) {
		return false, nil
	}
	return recovered, unwritten(project+"/"+dorkDir, err)
}

// inDork runs work with .dork open, unless the mount answered too late.
func inDork(ctx context.Context, t *Tree, project string, work func(d projectDir, dork *os.File) (bool, error)) (bool, error) {
	return writing(ctx, t, project, func(p *pulse) (bool, error) {
		d, err := t.project(project)
		if err != nil {
			return false, err
		}
		defer d.close()
		dork, err := d.dork()
		if err != nil {
			return false, err
		}
		defer dork.Close()
		if p.stopped() {
			return false, errLate
		}
		return work(d, dork)
	})
}

func missingDir(err error) bool { return errors.Is(err, errNoDork) || absent(err) }

// conflict is an error as the controller knows it.
func conflict(project string, err error) error {
	path := project + "/" + manifestPath
	if errors.Is(err, atomicfile.ErrChanged) || missingDir(err) {
		return fmt.Errorf("%w: %s: %w", agent.ErrConflict, path, err)
	}
	return unwritten(path, err)
}
