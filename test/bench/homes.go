package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// home is a directory of one measurement: the program's own home in it, and
// beside that its sockets and what else has to lie somewhere.
type home string

// newHome names the process, so that a later one sees whose it was. Homes stay
// until the harness ends.
func (b *bench) newHome() (home, error) {
	dir, err := os.MkdirTemp(b.dir, fmt.Sprintf("home-%d-", os.Getpid()))
	if err != nil {
		return "", err
	}
	return home(dir), os.Mkdir(home(dir).dork(), 0o700)
}

func (h home) dork() string            { return h.file("dork") }
func (h home) index() string           { return filepath.Join(h.dork(), "mesh.db") }
func (h home) socket() string          { return h.file("bench.sock") }
func (h home) file(name string) string { return filepath.Join(string(h), name) }

// mailbox of an agent; Tree makes no project for which the subject is another.
func (h home) mailbox(namespace, id string) string {
	return filepath.Join(h.dork(), "relay/mailboxes", "relay.agent."+namespace+"."+id)
}

// removeIndex with what SQLite keeps beside it.
func removeIndex(path string) error {
	files, err := filepath.Glob(path + "*")
	for _, f := range files {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

// settings name the home, the tree and the socket of a command.
func (h home) settings(f fleet, more ...string) []string {
	return append([]string{
		"--dork-home", h.dork(), "--scan-root", f.root,
		"--socket", h.socket(), "--log-level", "error",
	}, more...)
}

// lock a directory until this process ends: another harness would find trees
// that are half made, or whose agents are away.
func lock(dir string) error {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("another harness uses %s: %w", dir, err)
	}
	return nil
}

// avoided is for how long ext4 looks past the inode of what was removed, one by
// one, once that is written back: in that time a thousand mkdirs may cost as
// much as a million.
const avoided = 61 * time.Second

// emptyHome is one for a measurement that makes many files.
func (b *bench) emptyHome(ctx context.Context) (home, error) {
	if info, err := os.Stat(b.removed()); err == nil {
		if left := avoided - time.Since(info.ModTime()); left > 0 {
			fmt.Fprintf(os.Stderr, "waiting %s: ext4 avoids the inodes of what was removed\n", left.Round(time.Second))
			if err := pause(ctx, left); err != nil {
				return "", err
			}
		}
	}
	return b.newHome()
}

// removed is a file that is as old as the last removal of a home.
func (b *bench) removed() string { return filepath.Join(b.dir, "removed") }

// removeHomes of this harness, and of others that were killed.
func (b *bench) removeHomes() error {
	homes, err := filepath.Glob(filepath.Join(b.dir, "home-*-*"))
	count := 0
	for _, h := range homes {
		word, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(h), "home-"), "-")
		pid, bad := strconv.Atoi(word)
		if bad == nil && (pid == os.Getpid() || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)) {
			count++
			err = errors.Join(err, os.RemoveAll(h))
		}
	}
	if count == 0 {
		return err
	}
	unix.Sync()
	return errors.Join(err, os.WriteFile(b.removed(), nil, 0o644))
}
