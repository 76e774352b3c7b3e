package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// One edit among many: from the order of a sweep, from the signal, which has
// everything read, and by an order for the one project.
func measureEdit(ctx context.Context, b *bench, f fleet) (_ []figures, err error) {
	paths, err := manifests(f)
	if err != nil {
		return nil, err
	}
	d, err := b.settled(ctx, f, "--scan-depth", "2", "--resync-interval", "0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	x, err := openIndex(d.index())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	e := editing{daemon: d, index: x, manifest: paths[f.n/2]}
	if e.before, err = os.ReadFile(e.manifest); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.WriteFile(e.manifest, e.before, 0o644)) }()

	sweep, row, order := figures{line: "edit"}, figures{line: "edit-row"}, figures{line: "edit-sync"}
	for range b.rounds {
		swept := make(chan error, 1)
		bySweep, err := e.once(ctx, func() error {
			go func() {
				_, err := d.sweep(ctx)
				swept <- err
			}()
			return nil
		})
		if err := errors.Join(err, <-swept); err != nil {
			return nil, err
		}
		floor, err := statManifests(paths)
		if err != nil {
			return nil, err
		}
		bySignal, err := e.once(ctx, func() error { return d.signal(syscall.SIGUSR1) })
		if err != nil {
			return nil, err
		}
		byOrder, err := e.once(ctx, func() error {
			_, err := b.sync(ctx, d.home, f, filepath.Dir(filepath.Dir(e.manifest)))
			return err
		})
		if err != nil {
			return nil, err
		}
		sweep.ours, sweep.other = append(sweep.ours, bySweep*1e3), append(sweep.other, floor.wall*1e3)
		row.ours = append(row.ours, bySignal)
		order.ours = append(order.ours, byOrder*1e3)
	}
	return []figures{sweep, row, order}, nil
}

// editing is one manifest that gets new names, of its agent and of a namespace
// of its own, so that its row, its mailbox and rules are to be changed.
type editing struct {
	*daemon
	index    *index
	manifest string
	before   []byte
	edits    int
}

// manifestName also matches what an edit that was not undone left.
var manifestName = regexp.MustCompile(`"name": "[^"]*"(, "namespace": "[^"]*")?`)

// once edits, triggers and waits for row and mailbox; seconds from the trigger.
// The daemon is settled before: edits are rare.
func (e *editing) once(ctx context.Context, trigger func() error) (float64, error) {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := e.settle(ctx); err != nil {
		return 0, err
	}
	e.edits++
	name := fmt.Sprintf("edited-%06d", e.edits)
	data := manifestName.ReplaceAll(e.before, fmt.Appendf(nil, `"name": %[1]q, "namespace": %[1]q`, name))
	if err := os.WriteFile(e.manifest, data, 0o644); err != nil {
		return 0, err
	}
	if _, err := e.idle(); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := trigger(); err != nil {
		return 0, err
	}
	const row = "SELECT count(*) FROM agents WHERE project_path = ? AND name = ?"
	project := filepath.Dir(filepath.Dir(e.manifest))
	if err := e.index.until(ctx, time.Millisecond, 1, row, project, name); err != nil {
		return 0, err
	}
	var n int
	if _, err := fmt.Sscanf(filepath.Base(project), "project-%d", &n); err != nil {
		return 0, err
	}
	if err := awaitFile(ctx, e.mailbox(name, ID(n))+"/new"); err != nil {
		return 0, err
	}
	took := time.Since(began).Seconds()
	_, err := e.idle()
	return took, err
}

// awaitFile returns when there is one.
func awaitFile(ctx context.Context, path string) error {
	for {
		_, err := os.Stat(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}
