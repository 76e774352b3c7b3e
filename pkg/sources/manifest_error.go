package sources

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// unresolved tells why a path that a person named leads nowhere.
func unresolved(path string, err error) error {
	_, isErrno := errors.AsType[unix.Errno](err)
	switch {
	case !isErrno, errors.Is(err, unix.ELOOP): // the resolver counts links itself
		return &agent.PathError{Path: path, Problem: "leads through too many symbolic links"}
	case absent(err):
		if st, err := lstatAt(unix.AT_FDCWD, path); err == nil && kindOf(&st) == unix.S_IFLNK {
			return &agent.PathError{Path: path, Problem: "is a symbolic link that leads nowhere"}
		}
		return &agent.PathError{Path: path, Problem: "does not exist"}
	}
	return unopened(path, err)
}

// unopened tells why a path is no project directory.
func unopened(path string, err error) error {
	switch {
	case errors.Is(err, unix.ENOTDIR):
		return &agent.PathError{Path: path, Problem: "is not a directory"}
	case errors.Is(err, unix.ENOENT):
		return &agent.PathError{Path: path, Problem: "does not exist"}
	case errors.Is(err, unix.ENAMETOOLONG):
		return &agent.PathError{Path: path, Problem: "is too long for a path"}
	case refused(err):
		return &agent.PathError{Path: path, Problem: "may not be entered: permission denied"}
	}
	return fmt.Errorf("could not tell what %s is: %w", path, err)
}

// unwritten says for people what keeps a file from being written.
func unwritten(path string, err error) error {
	why := ""
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOSPC):
		why = "the disk is full"
	case errors.Is(err, unix.EDQUOT):
		why = "the disk quota is used up"
	case errors.Is(err, unix.EROFS):
		why = "the file system is read-only"
	case refused(err):
		why = "permission is denied"
	default:
		return fmt.Errorf("write %s: %w", path, err)
	}
	return fmt.Errorf("%s cannot be written, %s: %w", path, why, err)
}
