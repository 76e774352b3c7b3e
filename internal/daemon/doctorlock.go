package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"syscall"

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
	if pid := lockHolder(e.s.DB); pid != 0 {
		e.add("lock", Problem, "give --socket the path that the process was started with, or stop it",
			"process %d works on the index and cannot be reached at %s", pid, e.s.Socket)
		return
	}
	e.ok("lock", "free: no daemon runs for this index")
}

// lockHolder is the process that says it holds the index's lock and lives; 0
// for none. The lock itself is not tried: that could get in the way of a daemon
// that is starting.
func lockHolder(db string) int {
	path, err := store.LockPath(db)
	if err != nil {
		return 0
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	var note struct {
		PID int `json:"pid"`
	}
	if json.Unmarshal(text, &note) != nil || note.PID <= 0 {
		return 0
	}
	if err := unix.Kill(note.PID, 0); err != nil && !errors.Is(err, unix.EPERM) {
		return 0
	}
	return note.PID
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

// owner is the user to whom a file belongs.
func owner(info fs.FileInfo) (uid int, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}
