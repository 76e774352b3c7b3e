package e2e

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// supervisor is a service manager's end of the notify socket.
type supervisor struct {
	w    *world
	mu   sync.Mutex
	said []string // one per datagram
}

func (w *world) supervise() *supervisor {
	w.t.Helper()
	path := w.path("run/notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	w.must(err)
	w.t.Cleanup(func() { conn.Close() })
	w.env["NOTIFY_SOCKET"] = path
	s := &supervisor{w: w}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return // closed
			}
			s.mu.Lock()
			s.said = append(s.said, string(buf[:n]))
			s.mu.Unlock()
		}
	}()
	return s
}

// hears waits for a datagram after the first n that has all of the texts, and
// returns how many there were up to and with it.
func (s *supervisor) hears(n int, texts ...string) int {
	s.w.t.Helper()
	at := 0
	eventually(s.w.t, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
	datagrams:
		for i := n; i < len(s.said); i++ {
			for _, text := range texts {
				if !strings.Contains("\n"+s.said[i], "\n"+text) {
					continue datagrams
				}
			}
			at = i + 1
			return nil
		}
		return fmt.Errorf("no %q after the first %d of %q", texts, n, s.said)
	})
	return at
}

func TestNotify(t *testing.T) {
	w := newWorld(t)
	w.fleet(3)
	s := w.supervise()
	d := w.start()
	n := s.hears(0, "READY=1", "STATUS=3 agents active")
	d.signal(syscall.SIGHUP)
	n = s.hears(n, "RELOADING=1", "MONOTONIC_USEC=")
	n = s.hears(n, "READY=1", "STATUS=")
	d.signal(syscall.SIGTERM)
	s.hears(n, "STOPPING=1")
	if code := d.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(strings.Join(s.said, "\n"), "WATCHDOG") {
		t.Errorf("feeds a watchdog that nobody asked for: %q", s.said)
	}
}

func TestWatchdogIsFed(t *testing.T) {
	w := newWorld(t)
	s := w.supervise()
	w.env["WATCHDOG_USEC"] = "100000"
	w.start()
	n := s.hears(0, "WATCHDOG=1")
	s.hears(n, "WATCHDOG=1")
}
