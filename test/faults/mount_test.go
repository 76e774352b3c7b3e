//go:build faults && linux

package faults

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// tmpfs mounts one and sees that it is gone in the end.
func (w *world) tmpfs(target, options string) {
	w.t.Helper()
	w.must(os.MkdirAll(target, 0o755))
	if err := unix.Mount("tmpfs", target, "tmpfs", 0, options); err != nil {
		w.t.Skipf("mounting is not possible here: %v", err)
	}
	w.t.Cleanup(func() { unmount(target) })
}

// bind shows a directory at another place.
func (w *world) bind(source, target string) {
	w.t.Helper()
	w.must(os.MkdirAll(target, 0o755))
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		w.t.Skipf("mounting is not possible here: %v", err)
	}
	w.t.Cleanup(func() { unmount(target) })
}

// readonly makes a mount so, or writable again; nobody else's view changes.
func (w *world) readonly(target string, on bool) {
	w.t.Helper()
	flags := uintptr(unix.MS_REMOUNT | unix.MS_BIND)
	if on {
		flags |= unix.MS_RDONLY
	}
	w.must(unix.Mount("", target, "", flags, ""))
}

// unmount takes away all that is mounted there, at once, busy or not.
func unmount(target string) {
	for unix.Unmount(target, unix.MNT_DETACH) == nil {
	}
}

// stick makes a tmpfs full of projects at a place of its own, to be plugged
// into others by move.
type stick struct {
	w    *world
	home string
}

func (w *world) stick(name string) *stick {
	w.t.Helper()
	s := &stick{w, w.path(name)}
	w.tmpfs(s.home, "size=4m")
	return s
}

// plug shows it at a mount point.
func (s *stick) plug(target string) {
	s.w.t.Helper()
	s.w.bind(s.home, target)
}

// loop makes a file system in a file, mounted at target.
type loop struct {
	w              *world
	device, target string
	kind           string
}

func (w *world) loop(kind, target string) *loop {
	w.t.Helper()
	needs(w.t, "mkfs."+kind, "losetup", "mount")
	l := &loop{w: w, target: target, kind: kind}
	image := w.path("image")
	size, flags := "64M", []string{"-q", "-F"}
	if kind == "xfs" {
		size, flags = "320M", []string{"-q", "-f"} // it takes no less than 300
	}
	w.shell("truncate", "-s", size, image)
	w.shell("mkfs."+kind, append(flags, image)...)
	w.must(os.MkdirAll(target, 0o755))
	out, err := exec.Command("losetup", "-f", "--show", image).CombinedOutput()
	if err != nil {
		w.t.Skipf("no loop device here: %v: %s", err, out)
	}
	l.device = strings.TrimSpace(string(out))
	w.t.Cleanup(func() { w.shell("losetup", "-d", l.device) })
	if out, err := exec.Command("mount", l.device, target).CombinedOutput(); err != nil {
		w.t.Skipf("no %s here: %v: %s", kind, err, out)
	}
	w.t.Cleanup(func() { unmount(target) })
	return l
}

// cut takes the power away. What was not on the disk is lost, or with log what
// was not in the log.
func (l *loop) cut(log bool) {
	l.w.t.Helper()
	command := "shutdown"
	if log {
		command = "shutdown -f"
	}
	l.w.shell("xfs_io", "-x", "-c", command, l.target)
}

// damage lets an ext4 find an error in itself, upon which it is read-only.
func (l *loop) damage() {
	l.w.t.Helper()
	l.w.shell("mount", "-o", "remount,errors=remount-ro", l.target)
	if err := os.WriteFile(filepath.Join("/sys/fs/ext4", filepath.Base(l.device), "trigger_fs_error"), []byte("1"), 0); err != nil {
		l.w.t.Skip(err)
	}
}

// elsewhere mounts it again, by another device.
func (l *loop) elsewhere() {
	l.w.t.Helper()
	device := strings.TrimSpace(l.w.shell("losetup", "-f", "--show", l.w.path("image")))
	l.w.t.Cleanup(func() { l.w.shell("losetup", "-d", device) })
	l.w.shell("mount", device, l.target)
	l.w.t.Cleanup(func() { unmount(l.target) })
}

// again is the file system after the power is back.
func (l *loop) again() {
	l.w.t.Helper()
	l.w.shell("umount", l.target)
	l.w.shell("mount", l.device, l.target)
}

// faulty is a faultfs.
type faulty struct {
	w             *world
	cmd           *exec.Cmd
	rules, target string
}

// faulty shows source at target through a faultfs.
func (w *world) faulty(source, target string) *faulty {
	w.t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil {
		w.t.Skip("no /dev/fuse")
	}
	for _, d := range []string{source, target} {
		w.must(os.MkdirAll(d, 0o755))
	}
	f := &faulty{w: w, rules: w.path("rules-" + filepath.Base(target)), target: target}
	f.cmd = exec.Command(faultfs, source, target, f.rules)
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := f.cmd.StdoutPipe()
	w.must(err)
	f.cmd.Stderr = os.Stderr
	w.must(f.cmd.Start())
	w.t.Cleanup(func() {
		f.suffer()
		f.kill()
		unmount(target)
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		w.t.Skipf("FUSE cannot be mounted here: %s %v", line, err)
	}
	return f
}

// suffer sets the rules; none is that all is well.
func (f *faulty) suffer(rules ...string) {
	f.w.t.Helper()
	f.w.must(os.WriteFile(f.rules+"~", []byte(strings.Join(rules, "\n")), 0o644))
	f.w.must(os.Rename(f.rules+"~", f.rules))
}

// fail is a rule.
func fail(op string, errno syscall.Errno) string { return fmt.Sprintf("%s %d", op, int(errno)) }

// kill ends the faultfs: what is mounted answers ENOTCONN from then on.
func (f *faulty) kill() {
	_ = f.cmd.Process.Kill() // may have ended
	_ = f.cmd.Wait()         // by a signal
}
