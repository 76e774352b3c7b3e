package sources

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// Where a manifest lies, relative to its project directory.
const (
	dorkDir      = ".dork"
	manifestName = "agent.json"
	manifestPath = dorkDir + "/" + manifestName
)

// The same for raw calls.
var (
	dorkCName     = cName(dorkDir + "\x00")
	manifestCName = cName(manifestPath + "\x00")
	thisCName     = cName(".\x00")
)

const (
	// A FIFO must not block the opener, and a terminal must not become ours.
	readFlags = unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOFOLLOW | unix.O_NOCTTY | unix.O_CLOEXEC
	listFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	pathFlags = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC

	resolve = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS
)

// opener opens files beneath a directory without following a link.
type opener struct {
	// openat2 does it in one call, with no moment between check and use. Where
	// it is not allowed each component is opened on its own, which keeps the
	// promise by holding on to every directory on the way.
	openat2 bool
}

// newOpener tests once whether openat2 may be used: an old seccomp profile
// answers EPERM or ENOSYS.
func newOpener() opener {
	fd, err := unix.Openat2(unix.AT_FDCWD, ".", &unix.OpenHow{Flags: pathFlags, Resolve: resolve})
	if err == nil {
		_ = unix.Close(fd)
	}
	return opener{openat2: !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOSYS)}
}

// dir opens a directory for listing; name is relative to base, "." is base.
func (o opener) dir(base int, name *byte) (int, error) { return o.open(base, name, listFlags) }

// open leaves the access time alone where that is allowed: to the owner. The
// name ends in NUL.
func (o opener) open(base int, name *byte, flags int) (int, error) {
	fd, err := o.beneath(base, name, flags|unix.O_NOATIME)
	if errors.Is(err, unix.EPERM) {
		return o.beneath(base, name, flags)
	}
	return fd, err
}

func (o opener) beneath(base int, name *byte, flags int) (int, error) {
	if !o.openat2 {
		return stepwise(base, unix.BytePtrToString(name), flags)
	}
	fd, errno := rawOpenat2(base, name, &unix.OpenHow{Flags: uint64(flags), Resolve: resolve})
	if errno != 0 {
		return -1, errno
	}
	return fd, nil
}

// stepwise opens one component after the other. A link on the way answers
// ENOTDIR here, where openat2 says ELOOP.
func stepwise(base int, rel string, flags int) (int, error) {
	dir := base
	for {
		name, rest, more := strings.Cut(rel, "/")
		step := flags
		if more {
			step = pathFlags | unix.O_NOFOLLOW
		}
		fd, err := openAt(dir, name, step)
		if dir != base {
			_ = unix.Close(dir)
		}
		if err != nil || !more {
			return fd, err
		}
		dir, rel = fd, rest
	}
}

func openAt(dir int, name string, flags int) (fd int, err error) {
	err = again(func() error {
		fd, err = unix.Openat(dir, name, flags, 0)
		return err
	})
	return fd, err
}
