package daemon

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serviceManager is what systemd hears.
type serviceManager struct{ conn *net.UnixConn }

func newServiceManager(t *testing.T) *serviceManager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return &serviceManager{conn}
}

// hears waits for a message that begins with a state.
func (m *serviceManager) hears(t *testing.T, state string) string {
	t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for {
		n, err := m.conn.Read(buf)
		if err != nil {
			t.Fatalf("%s is not told: %v", state, err)
		}
		if text := string(buf[:n]); strings.HasPrefix(text, state) {
			return text
		}
	}
}

func TestSystemdIsTold(t *testing.T) {
	m := newServiceManager(t)
	t.Setenv("WATCHDOG_USEC", "100000")
	r := start(t, nil)
	m.hears(t, "WATCHDOG=1")
	close(r.loop.ready)
	if text := m.hears(t, "READY=1"); !strings.Contains(text, "\nSTATUS=0 agents active") {
		t.Errorf("ready without a status: %q", text)
	}
	if _, err := r.Reload(r.settings); err != nil {
		t.Fatal(err)
	}
	if text := m.hears(t, "RELOADING=1"); !strings.Contains(text, "\nMONOTONIC_USEC=") {
		t.Errorf("reloading without its time: %q", text)
	}
	m.hears(t, "READY=1")
	r.stop()
	m.hears(t, "STOPPING=1")
}

// A loop that stands still is not fed to the watchdog.
func TestWatchdogIsNotFedByAStalledLoop(t *testing.T) {
	m := newServiceManager(t)
	t.Setenv("WATCHDOG_USEC", "20000")
	r := start(t, func(r *rig) {
		r.health.progress = func() time.Time { return time.Now().Add(-2 * stalledAfter) }
	})
	<-time.After(200 * time.Millisecond)
	r.stop()
	if err := m.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := m.conn.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "STOPPING=1") {
		t.Errorf("the first thing told is %q, %v", buf[:n], err)
	}
}
