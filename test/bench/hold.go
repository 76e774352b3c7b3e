package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// How long a cold rebuild holds the index's write lock, which is the 120th byte of
// the -shm. The kernel takes down when it is taken and let go: whoever traced the
// process would prolong it.
func measureHold(ctx context.Context, b *bench, f fleet) ([]figures, error) {
	g := figures{line: "manners-hold"}
	for range b.rounds {
		holds, err := b.watchHolds(ctx, f)
		if err != nil {
			return nil, err
		}
		g.ours = append(g.ours, p99(holds)*1e3)
	}
	return []figures{g}, nil
}

func (b *bench) watchHolds(ctx context.Context, f fleet) (holds []float64, err error) {
	h, err := b.emptyHome(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := b.sync(ctx, h, fleet{root: h.dork()}); err != nil { // the schema
		return nil, err
	}
	// The -shm stays as long as somebody has the index open.
	x, err := openIndex(h.index())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	if _, err := x.texts("SELECT id FROM agents"); err != nil {
		return nil, err
	}
	w, err := watchLock(h.index()+"-shm", 120)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.end()) }()
	if _, err := b.sync(ctx, h, f); err != nil {
		return nil, err
	}
	trace, err := os.ReadFile(w.file("trace"))
	if err != nil {
		return nil, err
	}
	if holds = parseHolds(string(trace)); len(holds) == 0 {
		return nil, errors.New("nobody held the index's write lock")
	}
	return holds, nil
}

// lockWatch is a trace buffer of the kernel of our own.
type lockWatch string

func (w lockWatch) file(name string) string { return filepath.Join(string(w), name) }
func (w lockWatch) end() error              { return os.Remove(string(w)) }

// watchLock takes down each lock and unlock of one byte of a file. One trace is
// made at a time; what a harness that was killed has left is taken over.
func watchLock(path string, at int) (lockWatch, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", skip("no inodes on this system")
	}
	w := lockWatch("/sys/kernel/tracing/instances/mesh-controller-bench")
	if _, err := os.Stat(w.file("events")); err == nil {
		if err := w.end(); err != nil {
			return "", err
		}
	}
	if err := os.Mkdir(string(w), 0o700); err != nil {
		return "", skip("the kernel's traces are not to be had: " + err.Error())
	}
	for _, set := range [][2]string{
		{"buffer_size_kb", "8192"},
		{"events/filelock/posix_lock_inode/filter", fmt.Sprintf("i_ino == %d && fl_start == %d && fl_end == %d && ret == 0", st.Ino, at, at)},
		{"events/filelock/posix_lock_inode/enable", "1"},
	} {
		if err := os.WriteFile(w.file(set[0]), []byte(set[1]), 0); err != nil {
			return "", errors.Join(skip("the kernel does not trace locks: "+err.Error()), w.end())
		}
	}
	return w, nil
}

var lockEvent = regexp.MustCompile(` ([\d.]+): posix_lock_inode: .* fl_type=(F_\w+) `)

// parseHolds pairs locks and unlocks: seconds.
func parseHolds(trace string) (holds []float64) {
	held := 0.0
	for l := range strings.Lines(trace) {
		m := lockEvent.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		at, err := strconv.ParseFloat(m[1], 64)
		switch {
		case err != nil:
		case m[2] == "F_WRLCK":
			held = at
		case m[2] == "F_UNLCK" && held > 0:
			holds, held = append(holds, at-held), 0
		}
	}
	return holds
}
