package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

// ailing is a home with an index, made by a sync of one agent.
type ailing struct {
	*testing.T
	*world
	s   *Settings
	now time.Time
}

func newAiling(t *testing.T) *ailing {
	t.Helper()
	w := newWorld(t)
	w.flags["scan-root"] = []string{"~/projects"}
	w.flags["listen-address"] = []string{""}
	w.flags["socket"] = []string{"~/run/s.sock"}
	w.file(t, "projects/p/.dork/agent.json", `{"id":"ONE","name":"n","runtime":"codex","registeredAt":"2026-01-02T03:04:05.000Z","registeredBy":"t"}`)
	w.file(t, "run/stays", "")
	if err := os.Chmod(filepath.Join(w.home, "projects"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := &ailing{T: t, world: w, s: w.load(t), now: time.Now()}
	_, err := Order(t.Context(), p.s, Build{}, NewLog(&buffer{}, "error", "json").Logger, func(ctx context.Context, o Orders) (controller.SyncResult, error) {
		return o.Sync(ctx, controller.SyncRequest{Trigger: "api"})
	})
	p.must(err)
	return p
}

func (p *ailing) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// finds wants a finding of that name and health whose message and fix say
// these words, and every other problem as well to be of that name.
func (p *ailing) finds(name string, h Health, message, fix string) {
	p.Helper()
	findings := Examine(p.Context(), p.s, Build{}, p.now)
	found := false
	for _, f := range findings {
		if (f.Status == Healthy) != (f.Fix == nil) {
			p.Errorf("%+v: what is not well has a fix", f)
		}
		if f.Name == name && f.Status == h && strings.Contains(f.Message, message) && (f.Fix == nil || strings.Contains(*f.Fix, fix)) {
			found = true
		} else if f.Status == Problem && f.Name != name {
			p.Errorf("also: %s: %s", f.Name, f.Message)
		}
	}
	if !found {
		p.Errorf("no %s %s with %q and %q in\n%s", h, name, message, fix, listed(findings))
	}
}

func listed(findings []Finding) string {
	var out strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&out, "%s %s: %s -> %s\n", f.Status, f.Name, f.Message, orText(f.Fix, ""))
	}
	return out.String()
}

func TestDoctorFindsNothingInAGoodHome(t *testing.T) {
	p := newAiling(t)
	for _, f := range Examine(t.Context(), p.s, Build{}, p.now) {
		if f.Status != Healthy {
			t.Errorf("%+v", f)
		}
	}
}

// Whoever can write these can write rows, or be taken for the daemon.
func TestDoctorFindsWrongModes(t *testing.T) {
	for path, want := range map[string]struct {
		name string
		mode os.FileMode
		fix  string
	}{
		".dork":                         {"dork-home", 0o777, "chmod go-w"},
		".dork/mesh.db":                 {"database-files", 0o666, "chmod go-w"},
		".dork/mesh.db-wal":             {"database-files", 0o660, "chmod go-w"},
		".dork/mesh.db.lock":            {"database-files", 0o622, "chmod go-w"},
		".dork/relay":                   {"relay", 0o720, "chmod go-w"},
		".dork/relay/access-rules.json": {"relay", 0o602, "chmod go-w"},
		"run":                           {"socket-directory", 0o770, "chmod go-w"},
		".dork/credentials":             {"credentials", 0o755, "chmod go="},
		".dork/credentials/ONE.creds":   {"credentials", 0o640, "chmod go="},
	} {
		t.Run(path, func(t *testing.T) {
			p := newAiling(t)
			p.file(t, ".dork/credentials/ONE.creds", "secret")
			if strings.HasSuffix(path, "-wal") {
				p.file(t, path, "")
			}
			full := filepath.Join(p.home, path)
			p.must(os.Chmod(full, want.mode))
			p.finds(want.name, Problem, full, want.fix+" "+full)
		})
	}
}

func TestDoctorFindsMissingRights(t *testing.T) {
	for path, name := range map[string]string{
		".dork": "dork-home", ".dork/mesh.db": "database-files", ".dork/relay": "relay", "run": "socket-directory",
	} {
		t.Run(path, func(t *testing.T) {
			p := newAiling(t)
			full := filepath.Join(p.home, path)
			p.must(os.Chmod(full, 0o500))
			defer func() { p.must(os.Chmod(full, 0o700)) }()
			p.finds(name, Problem, full+" lacks rights of its own user (mode 0500)", "chmod u+rw")
		})
	}
}

func TestDoctorFindsOthersFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	for path, name := range map[string]string{
		".dork": "dork-home", ".dork/mesh.db": "database-files", ".dork/mesh.db.lock": "database-files", ".dork/relay": "relay",
		"run": "socket-directory", ".dork/credentials/ONE.creds": "credentials",
	} {
		t.Run(path, func(t *testing.T) {
			p := newAiling(t)
			p.file(t, ".dork/credentials/ONE.creds", "secret")
			full := filepath.Join(p.home, path)
			p.must(os.Chown(full, 65534, -1))
			p.finds(name, Problem, full+" belongs to user 65534", "chown 0 "+full)
		})
	}
}

func TestDoctorFindsAReadOnlyFileSystem(t *testing.T) {
	p := newAiling(t)
	dir := filepath.Join(p.home, ".dork", "relay")
	if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("nothing can be mounted here: %v", err)
	}
	defer func() { p.must(unix.Unmount(dir, unix.MNT_DETACH)) }()
	p.must(unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""))
	p.finds("relay", Problem, dir+" is on a file system that is mounted read-only", "--relay-dir")
}

func TestDoctorFindsAnUnusableIndex(t *testing.T) {
	t.Run("corrupt", func(t *testing.T) {
		p := newAiling(t)
		p.file(t, ".dork/mesh.db", strings.Repeat("no database ", 1000))
		p.finds(CheckDatabase, Problem, "corrupt", "restore a backup")
	})
	t.Run("too new", func(t *testing.T) {
		p := newAiling(t)
		if out, err := exec.Command("sqlite3", p.s.DB, "UPDATE mesh_controller_migrations SET version_id = 9999 WHERE version_id = (SELECT max(version_id) FROM mesh_controller_migrations)").CombinedOutput(); err != nil {
			t.Skipf("sqlite3: %v: %s", err, out)
		}
		p.finds(CheckDatabase, Problem, "too new", "update mesh-controller")
	})
}

func TestDoctorFindsBadRules(t *testing.T) {
	p := newAiling(t)
	p.file(t, ".dork/relay/access-rules.json", "[\n  {\"from\": oops}\n]")
	p.finds("relay", Problem, "line 2, column 12", "mend the file")
}

func TestDoctorFindsOldMail(t *testing.T) {
	p := newAiling(t)
	for name, age := range map[string]time.Duration{"01A": 31 * 24 * time.Hour, "01B": 29 * 24 * time.Hour} {
		p.file(t, ".dork/relay/removed/relay.agent.x."+name+"."+p.now.Add(-age).UTC().Format("20060102T150405.000Z")+"/new/1", "")
	}
	p.file(t, ".dork/relay/removed/notes/new/1", "")
	p.finds("relay", Hint, "is kept in mailboxes: 1", "read it")
}

func TestDoctorFindsOddRoots(t *testing.T) {
	p := newAiling(t)
	for root, message := range map[string]string{
		p.home:                               "is a whole home or file system",
		"/":                                  "/ is a whole home or file system",
		filepath.Join(p.home, "projects/p"):  "contain one another",
		filepath.Join(p.home, "not/mounted"): "is not there",
	} {
		p.s.ScanRoots = []string{filepath.Join(p.home, "projects"), root}
		p.finds("scan-root", Hint, message, "")
	}
	p.s.ScanRoots = []string{p.file(t, "file", "")}
	p.finds("scan-root", Problem, "not a directory", "can list")
}

func TestDoctorFindsDorkOS(t *testing.T) {
	p := newAiling(t)
	p.file(t, ".dork/instance.lock", fmt.Sprintf(`{"pid":%d,"startedAt":"2026-01-01T00:00:00.000Z"}`, os.Getpid()))
	p.finds("dorkos", Hint, fmt.Sprintf("process %d", os.Getpid()), "nothing")
	p.file(t, ".dork/instance.lock", fmt.Sprintf(`{"pid":%d}`, endedProcess(t)))
	p.finds("dorkos", Healthy, "has ended", "")
	p.file(t, ".dork/instance.lock", "?")
	p.finds("dorkos", Hint, "does not say which process", "remove the file")
}

// endedProcess was one.
func endedProcess(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Skip(err)
	}
	return cmd.Process.Pid
}

func TestDoctorFindsWhoHoldsTheLock(t *testing.T) {
	p := newAiling(t)
	lock, err := store.Acquire(p.s.DB)
	p.must(err)
	p.finds("lock", Problem, fmt.Sprintf("process %d works on the index", os.Getpid()), "--socket")
	p.must(lock.Release())
	p.finds("lock", Healthy, "free", "")
	path, err := store.LockPath(p.s.DB)
	p.must(err)
	note, err := json.Marshal(map[string]int{"pid": endedProcess(t)})
	p.must(err)
	p.must(os.WriteFile(path, note, 0o600))
	p.finds("lock", Hint, "is left over", "nothing")
}

func TestDoctorFindsAStaleSocket(t *testing.T) {
	p := newAiling(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: p.s.Socket, Net: "unix"})
	p.must(err)
	l.SetUnlinkOnClose(false)
	p.must(l.Close())
	p.finds("socket", Hint, "nobody answers", "nothing")
	p.must(os.Remove(p.s.Socket))
	p.file(t, "run/s.sock", "text")
	p.finds("socket", Problem, "is not a socket", "move it away")
	p.must(os.Remove(p.s.Socket))
	p.must(os.Chmod(filepath.Dir(p.s.Socket), 0o777|os.ModeSticky))
	p.finds("socket-directory", Hint, "others can take the name", "--socket")
}

// Another program that writes: whatever it holds up is not the controller's fault.
func TestDoctorFindsWhoWritesTheIndex(t *testing.T) {
	p := newAiling(t)
	cmd := exec.Command("sqlite3", p.s.DB)
	in, err := cmd.StdinPipe()
	p.must(err)
	out, err := cmd.StdoutPipe()
	p.must(err)
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer func() { in.Close(); _ = cmd.Wait() }()
	fmt.Fprintln(in, "BEGIN IMMEDIATE; SELECT 'held';")
	if _, err := out.Read(make([]byte, 5)); err != nil {
		t.Skip(err)
	}
	if _, known := writeLocks(p.s.DB); !known {
		t.Skip("the system does not tell")
	}
	p.finds("database-lock", Hint, "process "+strconv.Itoa(cmd.Process.Pid)+" holds the index", "let it finish")
}

func TestDoctorFindsAWrongClock(t *testing.T) {
	p := newAiling(t)
	wall := p.now
	p.now = wall.Add(-30 * time.Second)
	p.finds("clock", Healthy, agent.FormatTime(p.now), "")
	p.now = wall.Add(-time.Hour)
	p.finds("clock", Problem, "ahead of the clock", "set the clock")
	p.now = time.Date(2023, 12, 31, 0, 0, 0, 0, time.UTC)
	p.finds("clock", Problem, "it is said to be 2023", "set the clock")
}

func TestDoctorFindsATakenAddress(t *testing.T) {
	p := newAiling(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	p.must(err)
	defer l.Close()
	p.s.ListenAddress = l.Addr().String()
	p.finds("listen-address", Problem, p.s.ListenAddress, "--listen-address")
}

func TestDoctorChangesNothing(t *testing.T) {
	p := newAiling(t)
	before := p.stamps()
	Examine(t.Context(), p.s, Build{}, p.now)
	if after := p.stamps(); after != before {
		t.Errorf("before\n%safter\n%s", before, after)
	}
	empty := newWorld(t)
	Examine(t.Context(), empty.load(t), Build{}, p.now)
	if _, err := os.Stat(filepath.Join(empty.home, ".dork")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it made a home: %v", err)
	}
}

func (p *ailing) stamps() string {
	var out strings.Builder
	p.must(filepath.WalkDir(p.home, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		fmt.Fprintln(&out, path, info.Size(), info.ModTime())
		return err
	}))
	return out.String()
}
