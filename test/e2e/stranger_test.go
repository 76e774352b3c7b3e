package e2e

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// stranger is another user of the machine.
const stranger = 65534

// asStranger runs f on a thread that belongs to the stranger and is given up
// afterwards.
func asStranger(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if _, _, e := syscall.RawSyscall(syscall.SYS_SETRESUID, stranger, stranger, stranger); e != 0 {
			done <- e
			return
		}
		f()
		done <- nil
	}()
	if err := <-done; err != nil {
		t.Skip(err)
	}
}

// tell sends an order by hand and returns what comes back.
func tell(socket, order string) (string, error) {
	conn, err := net.DialTimeout("unix", socket, patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, order); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

// The socket is its user's alone: by its mode, and by who is at the other end
// where somebody has opened the mode.
func TestStrangersGiveNoOrders(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	d := w.start()
	for _, dir := range []string{w.dir, w.path("run")} {
		w.must(os.Chmod(dir, 0o755))
	}
	before := w.tree()
	const order = "POST /v1/pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

	asStranger(t, func() {
		if answer, err := tell(w.socket, order); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("with mode 0600: %q, %v", answer, err)
		}
	})
	w.must(os.Chmod(w.socket, 0o666))
	asStranger(t, func() {
		if answer, err := tell(w.socket, order); answer != "" {
			t.Errorf("with mode 0666: %q, %v", answer, err)
		}
	})
	eventually(t, func() error {
		if !strings.Contains(w.read(d.log), "peer is user 65534") {
			return errors.New("the log does not say who was refused")
		}
		return nil
	})
	if answer, err := tell(w.socket, strings.Replace(order, "POST /v1/pause", "GET /v1/status", 1)); err != nil || !strings.Contains(answer, `"paused": false`) {
		t.Errorf("its own user: %q, %v", answer, err)
	}
	if diff := cmp.Diff(before, w.tree()); diff != "" {
		t.Errorf("touched (-before +after):\n%s", diff)
	}
}

// A stranger who has the program gets no further with it.
func TestStrangersCommandsChangeNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	w := newWorld(t)
	w.fleet(1)
	w.start()
	w.must(os.CopyFS(w.path("bin"), os.DirFS(strings.TrimSuffix(binary, "/mesh-controller"))))
	for _, path := range []string{w.dir, w.path("run"), w.path("bin"), w.path("bin/mesh-controller")} {
		w.must(os.Chmod(path, 0o755))
	}
	w.must(os.Chmod(w.socket, 0o666))
	before := w.tree()
	for _, args := range [][]string{{"sync"}, {"pause"}, {"deny", w.projects}, {"unregister", agentID(0)}, {"update", agentID(0), "--set", "name=n"}} {
		cmd := w.command(t.Context(), args...)
		cmd.Path = w.path("bin/mesh-controller")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "hint: ") {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
	if diff := cmp.Diff(before, w.tree()); diff != "" {
		t.Errorf("touched (-before +after):\n%s", diff)
	}
}
