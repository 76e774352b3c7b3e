//go:build crash && linux && amd64

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The test program starts the program under test as itself: between fork and
// exec there is a filter to be put on.
const launchVar = "MESH_CRASH_LAUNCH"

// launch puts the filter on this thread, hands its listener out on descriptor
// 3, and becomes the program.
func launch(argv []string) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	program := filter()
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	if err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(int(fd)), nil, 0); err != nil {
		return fmt.Errorf("hand out the listener: %w", err)
	}
	_ = unix.Close(3)
	_ = unix.Close(int(fd))
	return unix.Exec(argv[0], argv, os.Environ())
}

// changing are the calls that change a file system.
var changing = map[uint32]string{
	unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite64", unix.SYS_WRITEV: "writev", unix.SYS_FTRUNCATE: "ftruncate",
	unix.SYS_RENAME: "rename", unix.SYS_MKDIR: "mkdir", unix.SYS_RMDIR: "rmdir", unix.SYS_LINK: "link", unix.SYS_UNLINK: "unlink",
	unix.SYS_SYMLINK: "symlink", unix.SYS_CHMOD: "chmod", unix.SYS_FCHMOD: "fchmod", unix.SYS_CHOWN: "chown", unix.SYS_FCHOWN: "fchown",
	unix.SYS_MKDIRAT: "mkdirat", unix.SYS_UNLINKAT: "unlinkat", unix.SYS_RENAMEAT: "renameat", unix.SYS_LINKAT: "linkat",
	unix.SYS_SYMLINKAT: "symlinkat", unix.SYS_FCHMODAT: "fchmodat", unix.SYS_FCHOWNAT: "fchownat", unix.SYS_RENAMEAT2: "renameat2",
	unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_FALLOCATE: "fallocate", unix.SYS_UTIMENSAT: "utimensat",
	unix.SYS_OPENAT: "openat",
}

// makes are the flags of an openat that changes something.
const makes = unix.O_CREAT | unix.O_TRUNC | (unix.O_TMPFILE &^ unix.O_DIRECTORY)

// filter asks about the calls above and lets everything else pass.
func filter() []unix.SockFilter {
	const nr, args2 = 0, 16 + 2*8 // offsets in struct seccomp_data
	stmt := func(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }
	load := func(at uint32) unix.SockFilter { return stmt(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, at) }
	ret := func(k uint32) unix.SockFilter { return stmt(unix.BPF_RET|unix.BPF_K, k) }
	ask, pass := ret(unix.SECCOMP_RET_USER_NOTIF), ret(unix.SECCOMP_RET_ALLOW)

	program := []unix.SockFilter{
		load(nr),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 4, K: unix.SYS_OPENAT},
		load(args2),
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jf: 1, K: makes},
		ask, pass,
	}
	for call := range changing {
		if call != unix.SYS_OPENAT {
			program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: call}, ask)
		}
	}
	return append(program, pass)
}

// question and answer are struct seccomp_notif and seccomp_notif_resp.
type question struct {
	ID         uint64
	PID, Flags uint32
	Call       int32
	Arch       uint32
	IP         uint64
	Args       [6]uint64
}

type answer struct {
	ID    uint64
	Value int64
	Error int32
	Flags uint32
}

// point is one call that was asked about.
type point struct {
	call, path string
}

func (p point) String() string { return p.call + " " + p.path }

// fault is what happens at a point; the zero one lets everything pass.
type fault struct {
	at    int // counted from 1; 0 for never
	kill  bool
	errno unix.Errno
}

// command is one run of the program.
type command struct {
	points []point
	code   int // of the exit; -1 where it was killed
	output string
}

// gated runs the program and does what the fault says.
func gated(t *testing.T, f fault, env []string, argv ...string) command {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "listener")
	cmd := exec.Command(os.Args[0], argv...)
	cmd.Env = append(env, launchVar+"=1", "GODEBUG=asyncpreemptoff=1")
	cmd.ExtraFiles = []*os.File{theirs}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	listener, err := receive(pair[0])
	_ = unix.Close(pair[0])
	var points []point
	if err == nil {
		points = attend(listener, cmd.Process.Pid, f)
		_ = unix.Close(listener)
	}
	waited := cmd.Wait()
	if err != nil {
		t.Fatalf("launch: %v: %v: %s", err, waited, out.String())
	}
	return command{points, cmd.ProcessState.ExitCode(), out.String()}
}

func receive(socket int) (int, error) {
	buf, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, buf, oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) == 0 {
		return -1, errors.New("no listener came")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}

// attend answers every question until nobody is left to ask.
func attend(listener, pid int, f fault) (points []point) {
	for {
		fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); errors.Is(err, unix.EINTR) {
			continue
		}
		if fds[0].Revents&unix.POLLIN == 0 {
			return points
		}
		var q question
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&q))); errno != 0 {
			continue // it went away while it was asked
		}
		a := answer{ID: q.ID, Flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if p, counts := subject(&q); counts {
			points = append(points, p)
			if len(points) == f.at && f.kill {
				_ = unix.Kill(pid, unix.SIGKILL)
				continue
			}
			if len(points) == f.at {
				a = answer{ID: q.ID, Error: -int32(f.errno)}
			}
		}
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&a)))
	}
}

// subject is what a call is about; false for what is no file (pipes, the
// runtime's own).
func subject(q *question) (point, bool) {
	p := point{call: changing[uint32(q.Call)]}
	switch p.call {
	case "write", "pwrite64", "writev", "ftruncate", "fsync", "fdatasync", "fchmod", "fchown", "fallocate":
		p.path = descriptor(q.PID, q.Args[0])
		return p, strings.HasPrefix(p.path, "/") && !strings.HasPrefix(p.path, "/dev/")
	case "mkdir", "rmdir", "unlink", "rename", "chmod", "chown", "link", "symlink":
		p.path = text(q.PID, q.Args[0])
	default:
		p.path = at(q.PID, q.Args[0], q.Args[1])
	}
	return p, true
}

func at(pid uint32, dirfd, name uint64) string {
	path := text(pid, name)
	if filepath.IsAbs(path) || int32(dirfd) == unix.AT_FDCWD {
		return path
	}
	return filepath.Join(descriptor(pid, dirfd), path)
}

func descriptor(pid uint32, fd uint64) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, int32(fd)))
	return path
}

// text is a string in the memory of the program.
func text(pid uint32, address uint64) string {
	buf := make([]byte, 512)
	local := []unix.Iovec{{Base: &buf[0], Len: uint64(len(buf))}}
	n, err := unix.ProcessVMReadv(int(pid), local, []unix.RemoteIovec{{Base: uintptr(address), Len: len(buf)}}, 0)
	if err != nil {
		return "?"
	}
	s, _, _ := strings.Cut(string(buf[:n]), "\x00")
	return s
}
