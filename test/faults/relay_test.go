//go:build faults && linux

package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func (w *world) mailbox(subject string) string {
	return filepath.Join(w.home, "relay", "mailboxes", subject)
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// in writes a manifest that names a namespace.
func (w *world) in(namespace, id string) {
	w.t.Helper()
	w.must(save(w.project(id), strings.Replace(manifestText(id, id, ""), `"team"`, fmt.Sprintf("%q", namespace), 1)))
}

// Rules that cannot be read, of whatever kind, are left as they are: nobody gets
// an address that would be there without its deny, the index goes on.
func TestRulesCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(w *world)
	}{
		{"corrupt", func(w *world) { w.must(os.WriteFile(w.rules(), []byte(`[{"from":"relay.`), 0o600)) }},
		{"empty", func(w *world) { w.must(os.WriteFile(w.rules(), nil, 0o600)) }},
		{"a directory", func(w *world) {
			w.must(os.Remove(w.rules()))
			w.must(os.Mkdir(w.rules(), 0o700))
		}},
		{"no permission", func(w *world) { w.must(os.Chmod(w.rules(), 0)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.name == "no permission" {
				needs(t, "setpriv")
				const caps = "-dac_override,-dac_read_search"
				w.prefix = []string{"setpriv", "--inh-caps=" + caps, "--bounding-set=" + caps}
			}
			w.fleet(w.projects, 3)
			d := w.start()
			good := w.read(w.rules())
			c.spoil(w)
			before, _ := os.ReadFile(w.rules()) // root can
			w.manifest(w.project("p001"), agentID(1), "edited")
			w.in("another", "NEW")
			w.eventually(func() error {
				if d.metric("relay_degraded") != 1 {
					return fmt.Errorf("not degraded")
				}
				return nil
			})
			w.seen(agentID(1), "edited")
			w.eventually(func() error {
				if _, known := w.agents()["NEW"]; !known {
					return fmt.Errorf("the index waits for the relay")
				}
				return nil
			})
			if there(w.mailbox("relay.agent.another.NEW")) {
				t.Error("an address without its deny")
			}
			d.awaitReady(false, patience)
			d.healthy()
			if after, _ := os.ReadFile(w.rules()); string(after) != string(before) {
				t.Errorf("the rules were written: %q, was %q", after, before)
			}

			w.must(os.RemoveAll(w.rules()))
			w.must(os.WriteFile(w.rules(), []byte(good), 0o600))
			w.sync()
			w.eachSays("active InSync", append(ids(3), "NEW")...)
			if !there(w.mailbox("relay.agent.another.NEW")) {
				t.Error("no address afterwards")
			}
			d.awaitReady(true, patience)
			if d.metric("relay_degraded") != 0 {
				t.Error("still degraded")
			}
			d.stop()
		})
	}
}

// A file lies where the mailboxes should be: it stays, the index goes on.
func TestMailboxesIsAFile(t *testing.T) {
	w := newWorld(t)
	w.fleet(w.projects, 3)
	d := w.start()
	dir := w.mailbox("")
	w.must(os.Rename(dir, w.path("mailboxes")))
	w.must(os.WriteFile(strings.TrimSuffix(dir, "/"), []byte("not a directory"), 0o600))
	w.manifest(w.project("p001"), agentID(1), "edited")
	w.manifest(w.project("new"), "NEW", "")
	w.seen(agentID(1), "edited")
	w.eventually(func() error {
		if _, known := w.agents()["NEW"]; !known || d.metric("relay_errors_total") == 0 {
			return fmt.Errorf("known %v, %v errors", known, d.metric("relay_errors_total"))
		}
		return nil
	})
	d.healthy()
	if got := w.read(dir); got != "not a directory" {
		t.Errorf("the file says %q", got)
	}
	w.must(os.Remove(dir))
	w.must(os.Rename(w.path("mailboxes"), dir))
	w.sync()
	w.eachSays("active InSync", append(ids(3), "NEW")...)
	if !there(w.mailbox("relay.agent.team.NEW/new")) {
		t.Error("no address afterwards")
	}
	d.stop()
}

type rule struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Action   string `json:"action"`
	Priority int    `json:"priority"`
	Mark     int    `json:"mark,omitempty"`
}

// Somebody else rewrites the rules all the time, with one of its own, while ours
// come: its last rule is there in the end, and all of ours are.
func TestRulesEditedByOthers(t *testing.T) {
	w := newWorld(t, "resync-interval", "50ms")
	w.fleet(w.projects, 3)
	w.start()
	last := 0
	for n := range 40 {
		w.in(fmt.Sprintf("ns-%02d", n), fmt.Sprintf("NEW%02d", n))
		for range 3 {
			var list []rule
			w.must(json.Unmarshal([]byte(w.read(w.rules())), &list))
			var next []rule
			for _, r := range list {
				if r.Mark == 0 {
					next = append(next, r)
				} else if r.Mark != last {
					t.Errorf("its rule %d is back, its last is %d", r.Mark, last)
				}
			}
			if last > 0 && len(next) == len(list) {
				t.Errorf("its rule %d was lost", last)
			}
			last++
			next = append(next, rule{"theirs.>", "theirs.>", "allow", 1, last})
			text, err := json.Marshal(next)
			w.must(err)
			w.must(os.WriteFile(w.rules()+"~", text, 0o600))
			w.must(os.Rename(w.rules()+"~", w.rules()))
			time.Sleep(time.Duration(n%7) * 5 * time.Millisecond)
		}
	}
	w.sync()
	var list []rule
	w.must(json.Unmarshal([]byte(w.read(w.rules())), &list))
	have := map[rule]int{}
	for _, r := range list {
		have[r]++
	}
	want := []rule{{"theirs.>", "theirs.>", "allow", 1, last}}
	for n := range 40 {
		ns := fmt.Sprintf("relay.agent.ns-%02d.*", n)
		want = append(want, rule{ns, ns, "allow", 100, 0}, rule{ns, "relay.agent.>", "deny", 10, 0})
	}
	for _, r := range want {
		if have[r] != 1 {
			t.Errorf("%d times %+v", have[r], r)
		}
	}
	if len(list) != len(want)+2 { // and those of team
		t.Errorf("%d rules, want %d", len(list), len(want)+2)
	}
}

// A DorkOS runs: what it may have open is neither moved nor removed, its mail
// stays, and follows when it has stopped.
func TestDorkOSRuns(t *testing.T) {
	w := newWorld(t)
	w.fleet(w.projects, 2)
	dorkos := exec.Command("sleep", "600")
	w.must(dorkos.Start())
	ended := false
	end := func() {
		if !ended {
			ended = true
			_ = dorkos.Process.Kill() // it has not ended by itself
			_ = dorkos.Wait()         // by a signal
		}
	}
	t.Cleanup(end)
	d := w.start()
	w.must(os.WriteFile(filepath.Join(w.home, "instance.lock"), fmt.Appendf(nil, `{"pid":%d,"port":4242,"startedAt":%q,"version":"1.0.0"}`,
		dorkos.Process.Pid, time.Now().UTC().Format("2006-01-02T15:04:05.000Z")), 0o600))
	old, next := w.mailbox("relay.agent.team."+agentID(1)), w.mailbox("relay.agent.other."+agentID(1))
	w.must(os.WriteFile(old+"/new/letter", []byte("dear"), 0o600))
	w.must(save(w.project("p001"), strings.Replace(manifestText(agentID(1), "p001", ""), `"team"`, `"other"`, 1)))
	w.eventually(func() error {
		if !there(next) || d.metric("relay_deferred") == 0 {
			return fmt.Errorf("the new address is there: %v; %v deferred", there(next), d.metric("relay_deferred"))
		}
		return nil
	})
	d.moreSweeps(4)
	if !there(old + "/new/letter") {
		t.Error("its mail was taken from under it")
	}
	d.healthy()
	end()
	d.signal(syscall.SIGUSR1)
	w.eventually(func() error {
		if there(old) || !there(next+"/new/letter") || d.metric("relay_deferred") != 0 {
			return fmt.Errorf("the old address is there: %v; the letter is in the new one: %v; %v deferred",
				there(old), there(next+"/new/letter"), d.metric("relay_deferred"))
		}
		return nil
	})
	d.stop()
}
