package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// unprivileged is what goes before a command so that permissions mean
// something to it.
func unprivileged(t *testing.T) []string {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	const caps = "-dac_override,-dac_read_search"
	prefix := []string{"setpriv", "--inh-caps=" + caps, "--bounding-set=" + caps}
	dir := t.TempDir()
	closed := filepath.Join(dir, "closed")
	if err := os.WriteFile(closed, nil, 0); err != nil {
		t.Fatal(err)
	}
	try := exec.Command(prefix[0], append(prefix[1:], "true")...)
	if out, err := try.CombinedOutput(); err != nil {
		t.Skipf("this is root, and its rights cannot be dropped: %v: %s", err, out)
	}
	if exec.Command(prefix[0], append(prefix[1:], "cat", closed)...).Run() == nil {
		t.Skip("this is root, and dropping its rights has no effect")
	}
	return prefix
}

// A manifest that cannot be read is no evidence: its agent stays as it is and
// is named, and nobody else waits for it.
func TestUnreadableManifest(t *testing.T) {
	prefix := unprivileged(t)
	for _, served := range []bool{true, false} {
		t.Run(map[bool]string{true: "through the daemon", false: "without a daemon"}[served], func(t *testing.T) {
			w := newWorld(t)
			w.prefix = prefix
			w.fleet(3)
			var d *daemon
			if served {
				d = w.start()
			} else {
				w.want(0, "sync")
			}
			closed := filepath.Join(w.project("p001"), ".dork")
			w.must(os.Chmod(closed, 0))
			w.manifest("p000", agentID(0), fields{"description": "edited"})
			w.manifest("p009", agentID(9), nil)

			began := time.Now()
			s := ask[syncView](w, 5, "sync")
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			if want := (counts{Agents: 4, Queued: 3, Discovered: 1, Synced: 1, Unknown: 1, Failed: 1}); s.Converged || s.Counts != want {
				t.Errorf("sync %+v", s)
			}
			if len(s.Failures) != 1 || s.Failures[0].ID != agentID(1) || s.Failures[0].Reason != "Unknown" ||
				s.Failures[0].Path != w.project("p001") || s.Failures[0].Message == "" {
				t.Errorf("failures %+v", s.Failures)
			}
			raw := syncShape.fits(t, "sync", ask[any](w, 5, "sync"))
			countsShape.fits(t, "counts", raw["counts"])
			failureShape.each(t, "failure", raw["failures"])
			list := ask[agentsView](w, 0, "agents")
			if len(list.Problems) != 1 || list.Problems[0].Reason != "Unknown" || list.Problems[0].Path != w.project("p001") {
				t.Errorf("problems %+v", list.Problems)
			}
			if a := w.agent(agentID(1)); a.Status != "active" || a.MissingSince != nil || !a.Endpoint {
				t.Errorf("the agent: %+v", a)
			}
			if e := ask[explanation](w, 0, "explain", agentID(1)); e.File.Evidence != "Unknown" {
				t.Errorf("explain %+v", e.File)
			}
			if d != nil {
				m := d.scrape()
				if m[`mesh_controller_manifest_problems{kind="unreadable"}`] != 1 || m["mesh_controller_unconverged_agents"] != 1 {
					t.Errorf("metrics: %v unreadable, %v unconverged",
						m[`mesh_controller_manifest_problems{kind="unreadable"}`], m["mesh_controller_unconverged_agents"])
				}
				d.get("/readyz")
			}

			w.must(os.Chmod(closed, 0o700))
			s = ask[syncView](w, 0, "sync")
			s.Counts.Queued = 0 // 1, unless a retry of the daemon came first
			if s.Counts != (counts{Agents: 4}) {
				t.Errorf("readable again: %+v", s)
			}
			if p := ask[agentsView](w, 0, "agents").Problems; len(p) > 0 {
				t.Errorf("problems stay: %+v", p)
			}
		})
	}
}
