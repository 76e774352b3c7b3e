package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/store"
)

func (e *examination) lockAndDaemon() {
	if e.daemon != nil {
		e.ok("daemon", "process %d, version %s: %s", e.daemon.Status.PID, e.daemon.Status.Version, e.daemon.Status.line())
		if e.daemon.Status.Version != e.build.Version {
			e.add("daemon", Hint, "restart the daemon", "it is version %s and this is %s", e.daemon.Status.Version, e.build.Version)
		}
		return
	}
	path, err := store.LockPath(e.s.DB)
	if err != nil {
		e.add("lock", Problem, "make the directory readable for this user", "%v", err)
		return
	}
	named := namedProcess(path)
	holder, held := lockHolder(path, named)
	switch {
	case held:
		e.add("lock", Problem, "give --socket the path that the process was started with, or stop it",
			"%s works on the index and cannot be reached at %s", processText(holder), e.s.Socket)
	case named != 0:
		e.add("lock", Hint, "nothing: the next controller takes it", "%s is left over: it names process %d, which does not hold it", path, named)
	default:
		e.ok("lock", "free: no daemon runs for this index")
	}
}

// lockHolder is the process that holds the index's lock. The lock itself is not
// tried: that could get in the way of a daemon that is starting. Where the
// system does not tell, a named process that lives is taken for the holder.
func lockHolder(path string, named int) (pid int, held bool) {
	locks, known := writeLocks(path)
	if !known {
		return named, named != 0 && lives(named)
	}
	for _, l := range locks {
		if l.kind == "FLOCK" {
			return l.pid, true
		}
	}
	return 0, false
}

// namedProcess is the process that a file of ours or of DorkOS's names as the
// one that made it; 0 for none.
func namedProcess(path string) int {
	var note struct {
		PID int `json:"pid"`
	}
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &note) != nil || note.PID < 0 {
		return 0
	}
	return note.PID
}

func lives(pid int) bool {
	err := unix.Kill(pid, 0)
	return err == nil || errors.Is(err, unix.EPERM)
}

func processText(pid int) string {
	if pid <= 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d", pid)
}

func (e *examination) socket(ctx context.Context) {
	path := e.s.Socket
	if e.daemon != nil {
		path = e.daemon.Status.Socket
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.ok("socket", "%s is not there: no daemon listens", path)
	case err != nil:
		e.add("socket", Problem, "make its directory readable, or name another place with --socket", "%v", err)
	case info.Mode().Type() != fs.ModeSocket:
		e.add("socket", Problem, "move it away, or name another place with --socket", "%s is not a socket", path)
	case e.daemon != nil && info.Mode().Perm() != 0o600:
		e.add("socket", Problem, "chmod 600 "+path, "%s has mode %04o", path, info.Mode().Perm())
	case e.daemon != nil:
		e.ok("socket", "%s", path)
	default:
		e.unansweredSocket(ctx, path)
	}
}

func (e *examination) unansweredSocket(ctx context.Context, path string) {
	if conn, err := dialSocket(ctx, path); err == nil {
		_ = conn.Close() // it was only a question
		e.add("socket", Hint, "nothing, or give each index its own with --socket", "the daemon of another index answers on %s", path)
		return
	}
	e.add("socket", Hint, "nothing: the next daemon replaces it", "%s is left over: nobody answers", path)
}

// dorkOS says whether a DorkOS announces itself: while it runs, nothing is
// taken out of its relay.
func (e *examination) dorkOS() {
	path := filepath.Join(e.s.DorkHome, "instance.lock")
	if _, err := os.Stat(path); err != nil {
		return
	}
	pid := namedProcess(path)
	switch {
	case pid == 0:
		e.add("dorkos", Hint, "if no DorkOS runs, remove the file: mailboxes are neither moved nor removed while one might",
			"%s is there and does not say which process made it", path)
	case lives(pid):
		e.add("dorkos", Hint, "nothing: mailboxes are added at once, and moved or removed when it stops or starts anew",
			"DorkOS runs beside, as process %d", pid)
	default:
		e.ok("dorkos", "%s is left over from process %d, which has ended", path, pid)
	}
}
