package maildir

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// proc is a made-up /proc. The machine was booted at the hour zero; processes
// are given as state and start in ticks.
type proc map[string]string

func (p proc) judge(t *testing.T) processes {
	t.Helper()
	root := t.TempDir()
	for name, text := range p {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return processes{root}
}

func statLine(state string, seconds int) string {
	return fmt.Sprintf("7 (a) b) %s 1 1 1 0 -1 4 0 0 0 0 1 1 0 0 20 0 1 0 %d 0 0", state, seconds*ticks)
}

func TestMayLive(t *testing.T) {
	boot := time.Unix(1_700_000_000, 0)
	bootLine := fmt.Sprintf("cpu 1 2\nbtime %d\nprocesses 3\n", boot.Unix())
	host := proc{"stat": bootLine, "1/stat": statLine("S", 0), "2/stat": statLine("S", 0), "3/stat": statLine("S", 5)}
	with := func(p proc, more proc) proc {
		all := proc{}
		for _, m := range []proc{p, more} {
			maps.Copy(all, m)
		}
		return all
	}
	after := func(seconds int) time.Time { return boot.Add(time.Duration(seconds) * time.Second) }
	tests := []struct {
		name    string
		proc    proc
		pid     int
		started time.Time
		want    bool
	}{
		{"it runs", with(host, proc{"77/stat": statLine("S", 999)}), 77, after(1000), true},
		{"it runs, slow to write", with(host, proc{"77/stat": statLine("R", 1119)}), 77, after(1000), true},
		{"the pid was given away", with(host, proc{"77/stat": statLine("S", 1121)}), 77, after(1000), false},
		{"a zombie", with(host, proc{"77/stat": statLine("Z", 999)}), 77, after(1000), false},
		{"nobody has the pid", host, 77, after(1000), false},
		{"booted since", with(host, proc{"77/stat": statLine("S", 0)}), 77, after(-1000), false},
		{"no such pid on any Linux", host, 7340035, after(1000), false},
		{"no /proc", proc{}, 77, after(1000), true},
		{"a stat that cannot be read", with(host, proc{"77/stat": "x"}), 77, after(1000), true},
		{"others are hidden", proc{"stat": bootLine, "9/stat": statLine("S", 0)}, 77, after(1000), true},
		{"began before our namespace", proc{"stat": bootLine, "1/stat": statLine("S", 5000), "2/stat": statLine("S", 5000), "3/stat": statLine("S", 5000)}, 77, after(1000), true},
		{"in a container, seen from the host", with(host, proc{"900/stat": statLine("S", 999), "900/status": "Name:\tnode\nNSpid:\t900\t77\nx:\t1\n"}), 77, after(1000), true},
		{"another in a container", with(host, proc{"900/stat": statLine("S", 2000), "900/status": "Name:\tnode\nNSpid:\t900\t77\nx:\t1\n"}), 77, after(1000), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.proc.judge(t).mayLive(tt.pid, tt.started); got != tt.want {
				t.Errorf("mayLive = %t, want %t", got, tt.want)
			}
		})
	}
}

// The same with a real process: alive, then killed, then reaped.
func TestRealProcess(t *testing.T) {
	if _, err := os.Stat("/proc/1/stat"); err != nil {
		t.Skipf("no /proc here: %v", err)
	}
	h := newHome(t)
	cmd := exec.CommandContext(t.Context(), "sleep", "600")
	h.must(cmd.Start())
	h.must(os.MkdirAll(h.dir, 0o700))
	h.must(os.WriteFile(filepath.Join(filepath.Dir(h.dir), "instance.lock"),
		fmt.Appendf(nil, `{"pid":%d,"port":1,"startedAt":%q,"version":"1"}`, cmd.Process.Pid, agent.FormatTime(time.Now())), 0o600))
	if _, alive := h.dork.living(); !alive {
		t.Error("a living DorkOS was not seen")
	}
	h.must(cmd.Process.Kill())
	_ = cmd.Wait()
	if (processes{"/proc"}).hides() {
		t.Skip("nobody else is seen here")
	}
	if _, alive := h.dork.living(); alive {
		t.Error("a dead DorkOS counts as living")
	}
}

func TestLockThatCannotBeJudged(t *testing.T) {
	for _, text := range []string{"", "{", "[]", `{"pid":"x"}`, `{"pid":0,"startedAt":"2026-01-01T00:00:00Z"}`, `{"pid":1}`} {
		h := newHome(t)
		h.must(os.WriteFile(filepath.Join(filepath.Dir(h.dir), "instance.lock"), []byte(text), 0o600))
		if i, alive := h.dork.living(); !alive || i != (instance{}) {
			t.Errorf("%q: %+v, %t", text, i, alive)
		}
	}
}

func TestLockThatCannotBeRead(t *testing.T) {
	h := newHome(t)
	h.must(os.Mkdir(filepath.Join(filepath.Dir(h.dir), "instance.lock"), 0o700))
	if _, alive := h.dork.living(); !alive {
		t.Error("what could not be read counts as nobody")
	}
}

// Beside a DorkOS that writes its memory over our rules they come back; Close
// waits for that.
func TestSecondLook(t *testing.T) {
	h := newHome(t)
	h.check.delay = 50 * time.Millisecond
	h.setText("[" + high + "]")
	h.dorkOS(true)
	h.must(h.EnsureRules(t.Context(), []relay.Rules{{Namespace: "a"}, {Namespace: "b"}}))
	h.must(h.RemoveRules(t.Context(), []relay.Removal{{Namespace: "b"}})) // no longer wanted
	h.setText("[" + high + "]")
	h.must(h.Close())
	if got, want := h.text(), "["+high+","+allowA+","+denyA+"]"; got != want {
		t.Errorf("rules %s\nwant %s", got, want)
	}
	h.setText("[]")
	h.must(h.EnsureRules(t.Context(), []relay.Rules{{Namespace: "a"}})) // still works
	h.must(h.Close())
}
