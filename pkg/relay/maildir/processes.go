package maildir

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// slack between the start of a process and what it writes as its start.
	slack = 120 * time.Second
	// maxPID of Linux (PID_MAX_LIMIT); nothing lives beyond it.
	maxPID = 1 << 22
	// ticks per second of the times in /proc, on every Linux.
	ticks = 100
)

// processes judges by /proc. Only proof counts as death.
type processes struct{ root string }

// mayLive reports whether the process that announced itself with this pid and
// start may be running.
//
// It is not when the machine was booted since, when a process of that pid began
// later or is a zombie, or when there is none in a pid namespace in which it
// would be seen.
func (p processes) mayLive(pid int, started time.Time) bool {
	boot, ok := p.boot()
	if !ok {
		return true
	}
	if pid > maxPID || started.Add(slack).Before(boot) {
		return false
	}
	s, err := p.stat(pid)
	switch {
	case err == nil:
		return s.state != 'Z' && s.state != 'X' && !s.began(boot).After(started.Add(slack))
	case !errors.Is(err, fs.ErrNotExist):
		return true
	}
	return p.hides() || p.beforeUs(boot, started) || p.inner(pid, boot, started)
}

// hides reports whether other processes may be there without being seen: a
// /proc mounted with hidepid, or a container in which there is nobody but us.
func (p processes) hides() bool {
	if _, err := p.stat(1); err != nil {
		return true
	}
	list, err := filepath.Glob(filepath.Join(p.root, "[0-9]*"))
	if err != nil {
		return true
	}
	own := os.Getpid() == 1 || os.Getppid() == 1
	return own && len(list) <= 2
}

// beforeUs reports whether the process began before the first one of our pid
// namespace: then it lives, if it does, in another.
func (p processes) beforeUs(boot, started time.Time) bool {
	first, err := p.stat(1)
	return err != nil || started.Add(slack).Before(first.began(boot))
}

// inner reports whether the pid is that of a process in a pid namespace inside
// ours: a DorkOS in a container, seen from its host.
func (p processes) inner(pid int, boot, started time.Time) bool {
	list, _ := filepath.Glob(filepath.Join(p.root, "[0-9]*"))
	for _, dir := range list {
		raw, err := os.ReadFile(filepath.Join(dir, "status"))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(raw), "\nNSpid:")
		line, _, _ := strings.Cut(rest, "\n")
		pids := strings.Fields(line)
		if len(pids) < 2 || pids[len(pids)-1] != strconv.Itoa(pid) {
			continue
		}
		outer, _ := strconv.Atoi(pids[0])
		s, err := p.stat(outer)
		if err == nil && s.state != 'Z' && !s.began(boot).After(started.Add(slack)) {
			return true
		}
	}
	return false
}

// procStat is what of /proc/<pid>/stat counts here.
type procStat struct {
	state byte
	start int64 // ticks since the boot
}

func (s procStat) began(boot time.Time) time.Time {
	return boot.Add(time.Duration(s.start) * (time.Second / ticks))
}

func (p processes) stat(pid int) (procStat, error) {
	raw, err := os.ReadFile(filepath.Join(p.root, strconv.Itoa(pid), "stat"))
	if err != nil {
		return procStat{}, err
	}
	// The name in parentheses may hold anything, parentheses too.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	const state, start = 0, 19 // the fields 3 and 22
	if len(fields) <= start {
		return procStat{}, errors.New("malformed stat")
	}
	n, err := strconv.ParseInt(fields[start], 10, 64)
	return procStat{fields[state][0], n}, err
}

// boot is when the machine was booted.
func (p processes) boot() (time.Time, bool) {
	raw, err := os.ReadFile(filepath.Join(p.root, "stat"))
	if err != nil {
		return time.Time{}, false
	}
	_, rest, found := strings.Cut(string(raw), "\nbtime ")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return time.Unix(n, 0), found && err == nil
}
