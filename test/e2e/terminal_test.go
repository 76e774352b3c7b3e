package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// terminal opens one of so many columns: what is written to the one end is read
// from the other.
func terminal(t *testing.T, columns uint16) (end, other *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	t.Cleanup(func() { slave.Close() })
	return slave, master
}

// A table fits the terminal; what is read by a program is whole.
func TestTablesFitTheTerminal(t *testing.T) {
	const columns = 60
	w := newWorld(t)
	w.manifest(strings.Repeat("deep/", 20)+"p", agentID(0), nil)
	w.settings["scan-depth"] = "30"
	w.want(0, "sync")
	whole := w.want(0, "agents").stdout
	if strings.Contains(whole, "…") || !strings.Contains(whole, w.project(strings.Repeat("deep/", 20)+"p")) {
		t.Errorf("not on a terminal:\n%s", whole)
	}
	slave, master := terminal(t, columns)
	cmd := w.command(t.Context(), "agents")
	cmd.Stdout, cmd.Stderr = slave, slave
	w.must(cmd.Run())
	page := make([]byte, 1<<16)
	n, err := master.Read(page)
	w.must(err)
	text := string(page[:n])
	if !strings.Contains(text, agentID(0)) || !strings.Contains(text, "…") || strings.Contains(text, "\x1b") {
		t.Errorf("on a terminal:\n%q", text)
	}
	for line := range strings.Lines(text) {
		if utf8.RuneCountInString(strings.TrimRight(line, "\r\n")) > columns {
			t.Errorf("longer than %d: %q", columns, line)
		}
	}
}
