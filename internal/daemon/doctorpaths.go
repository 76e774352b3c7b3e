package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

func rulesPath(relayDir string) string { return filepath.Join(relayDir, "access-rules.json") }

func (e *examination) home() {
	dir := e.s.DorkHome
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.add("dork-home", Hint, "`mesh-controller sync` makes it", "%s is not there yet", dir)
	case err != nil:
		e.add("dork-home", Problem, "make it readable, or name another with --dork-home", "%v", err)
	case !info.IsDir():
		e.add("dork-home", Problem, "move it away, or name another with --dork-home", "%s is not a directory", dir)
	case e.ours("dork-home", "--dork-home", dir):
		e.ok("dork-home", "%s", dir)
	}
}

// databaseFiles are the index's: whoever can write one of them can write rows.
func (e *examination) databaseFiles() {
	if _, err := os.Stat(e.s.DB); err != nil {
		return // said by the database's own check
	}
	files := []string{e.s.DB, e.s.DB + "-wal", e.s.DB + "-shm"}
	if lock, err := store.LockPath(e.s.DB); err == nil {
		files = append(files, lock)
	}
	fine := true
	if dir := filepath.Dir(e.s.DB); dir != e.s.DorkHome {
		fine = e.ours("database-files", "--db", dir)
	}
	if e.ours("database-files", "--db", files...) && fine {
		e.ok("database-files", "only this user can write them")
	}
}

// credentials are for their agents: nobody else may even read them.
func (e *examination) credentials() {
	dir := filepath.Join(e.s.DorkHome, "credentials")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		e.add("credentials", Problem, "make it readable for this user", "%v", err)
		return
	}
	paths := []string{dir}
	for _, entry := range entries {
		paths = append(paths, filepath.Join(dir, entry.Name()))
	}
	fine := e.ours("credentials", "--dork-home", paths...)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o055 != 0 {
			fine = false
			e.add("credentials", Problem, "chmod go= "+path, "%s can be read by other users (mode %04o)", path, info.Mode().Perm())
		}
	}
	if fine {
		e.ok("credentials", "%s", dir)
	}
}

// socketDirectory is where others must not be able to put a socket of theirs.
func (e *examination) socketDirectory() {
	dir := filepath.Dir(e.s.Socket)
	info, err := os.Stat(dir)
	switch {
	case err != nil: // the socket's own check says it
	case info.Mode()&fs.ModeSticky != 0 && info.Mode().Perm()&0o002 != 0:
		e.add("socket-directory", Hint, "name a place of your own with --socket", "in %s others can take the name before the daemon does", dir)
	case dir == e.s.DorkHome:
	case e.ours("socket-directory", "--socket", dir):
		e.ok("socket-directory", "%s", dir)
	}
}

// ours checks that what is there belongs to this user, who alone can write it,
// and really can. It says what is wrong and reports whether nothing is.
func (e *examination) ours(name, flag string, paths ...string) bool {
	fine := true
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			continue // not there, or said elsewhere
		}
		for _, w := range wrongs(path, flag, info) {
			fine = false
			e.add(name, Problem, w.fix, "%s", w.what)
		}
	}
	return fine
}

type wrong struct{ what, fix string }

func wrongs(path, flag string, info fs.FileInfo) []wrong {
	var list []wrong
	add := func(fix, format string, args ...any) {
		list = append(list, wrong{fmt.Sprintf(format, args...), fix})
	}
	mode := info.Mode().Perm()
	if uid, known := owner(info); known && uid != os.Geteuid() {
		add(fmt.Sprintf("run as user %d, or change the owner: chown %d %s", uid, os.Geteuid(), path),
			"%s belongs to user %d and this is user %d", path, uid, os.Geteuid())
	}
	if mode&0o022 != 0 {
		add("chmod go-w "+path, "%s can be written by other users (mode %04o)", path, mode)
	}
	need, fix := fs.FileMode(0o600), "chmod u+rw "+path
	if info.IsDir() {
		need, fix = 0o700, "chmod u+rwx "+path
	}
	if mode&need != need {
		add(fix, "%s lacks rights of its own user (mode %04o)", path, mode)
	}
	if errors.Is(unix.Access(path, unix.W_OK), unix.EROFS) {
		add("mount it for writing, or name another place with "+flag, "%s is on a file system that is mounted read-only", path)
	}
	return list
}

// owner is the user to whom a file belongs.
func owner(info fs.FileInfo) (uid int, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}

func (e *examination) roots() {
	for i, root := range e.s.ScanRoots {
		if e.rootIsThere(root) {
			e.rootIsPlain(root, e.s.ScanRoots[i+1:])
		}
	}
}

func (e *examination) rootIsThere(root string) bool {
	dir, err := os.Open(root)
	if errors.Is(err, fs.ErrNotExist) && root == e.s.ManagedHome {
		e.ok("scan-root", "%s is not there yet: there are no managed agents", root)
		return false
	}
	if errors.Is(err, fs.ErrNotExist) {
		e.add("scan-root", Hint, "mount it, make it, or take it out of scan-root", "%s is not there", root)
		return false
	}
	if err != nil {
		e.add("scan-root", Problem, "make it readable for this user", "%v", err)
		return false
	}
	defer dir.Close()
	if _, err := dir.ReadDir(1); err != nil && !errors.Is(err, io.EOF) {
		e.add("scan-root", Problem, "name a directory that this user can list", "%v", err)
		return false
	}
	return true
}

func (e *examination) rootIsPlain(root string, others []string) {
	plain := true
	if root == e.s.Home || root == "/" {
		plain = false
		e.add("scan-root", Hint, "name the directory of the projects instead: a sweep of all this is slow and finds copies",
			"%s is a whole home or file system", root)
	}
	for _, other := range others {
		if agent.Within(other, root) || agent.Within(root, other) {
			plain = false
			e.add("scan-root", Hint, "keep both only if agents below the inner one should take their namespace from it",
				"%s and %s contain one another", root, other)
		}
	}
	if plain {
		e.ok("scan-root", "%s", root)
	}
}
