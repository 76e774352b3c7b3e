package daemon

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func listenTest(t *testing.T, path string) *socket {
	t.Helper()
	s, err := listenSocket(path, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSocketIsForItsUserOnly(t *testing.T) {
	s := listenTest(t, filepath.Join(t.TempDir(), "dir", "s.sock"))
	info, err := os.Lstat(s.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	accepted := make(chan error, 1)
	go func() {
		conn, err := s.Accept()
		if err == nil {
			conn.Close()
		}
		accepted <- err
	}()
	conn, err := dialOwn(context.Background(), s.path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := <-accepted; err != nil {
		t.Errorf("the own user is refused: %v", err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close() // as if it had been killed
	listenTest(t, path)
}

func TestWhatIsNoSocketStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenSocket(path, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "--socket") {
		t.Errorf("error %v, want one that says what to do", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "precious" {
		t.Error("the file is gone")
	}
}

func TestServedSocketIsLeftAlone(t *testing.T) {
	s := listenTest(t, filepath.Join(t.TempDir(), "s.sock"))
	if _, err := listenSocket(s.path, zap.NewNop()); !errors.Is(err, errSocketServed) {
		t.Errorf("error %v, want %v", err, errSocketServed)
	}
	if conn, err := dialSocket(context.Background(), s.path); err != nil {
		t.Errorf("it is gone: %v", err)
	} else {
		conn.Close()
	}
}

func TestCloseRemovesNoOthersSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	first := listenTest(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	listenTest(t, path)
	first.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the second one's socket is gone: %v", err)
	}
}

func TestLongSocketPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	s := listenTest(t, filepath.Join(dir, "s.sock"))
	if info, err := os.Lstat(s.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	conn, err := dialSocket(context.Background(), s.path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	s.Close()
	if _, err := os.Lstat(s.path); err == nil {
		t.Error("it stays after Close")
	}
}
