package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// home is a directory of one measurement: the program's own home in it, and
// beside that its sockets and what else has to lie somewhere.
type home string

// newHome names the process, so that a later one sees whose it was.
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
func (h home) remove() error           { return os.RemoveAll(string(h)) }

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

// removeStaleHomes of harnesses that were killed.
func removeStaleHomes(dir string) error {
	stale, err := filepath.Glob(filepath.Join(dir, "home-*-*"))
	for _, h := range stale {
		word, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(h), "home-"), "-")
		pid, bad := strconv.Atoi(word)
		if bad == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			err = errors.Join(err, os.RemoveAll(h))
		}
	}
	return err
}
