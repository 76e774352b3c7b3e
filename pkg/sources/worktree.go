package sources

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// inWorktree reports whether the directory, whose stat is st, lies in a linked
// git worktree: the nearest .git on its way up to the edge of the mount is a
// file that points into the worktrees of another repository. What cannot be
// read is taken for the main checkout.
func inWorktree(dir string, st *unix.Statx_t) bool {
	mount := st.Mnt_id
	for p := dir; ; p = filepath.Dir(p) {
		dot := filepath.Join(p, ".git")
		git, err := lstatAt(unix.AT_FDCWD, dot)
		if err == nil {
			return kindOf(&git) == unix.S_IFREG && strings.Contains(gitdir(dot), "/worktrees/")
		}
		if p == "/" {
			return false
		}
		up, err := statAt(unix.AT_FDCWD, filepath.Dir(p), 0)
		if err != nil || up.Mnt_id != mount {
			return false
		}
	}
}

// gitdir is the line "gitdir: /repo/.git/worktrees/name" of a .git file.
func gitdir(path string) string {
	fd, err := openAt(unix.AT_FDCWD, path, readFlags)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	buf := make([]byte, 4096) // as long as a path may be
	n, err := unix.Read(fd, buf)
	if err != nil || n <= 0 {
		return ""
	}
	line, _, _ := strings.Cut(string(buf[:n]), "\n")
	target, ok := strings.CutPrefix(line, "gitdir:")
	if !ok {
		return ""
	}
	return target
}
