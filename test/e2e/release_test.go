package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type tombstonesView struct {
	Tombstones []tombstoneView
}

type tombstoneView struct {
	ID, Name, Namespace, Runtime, ProjectPath, Reason, At string
	Mail                                                  bool
}

// vanished is a world of eight agents of which six have gone at once: AGENT000
// to AGENT005, of which the first left a letter. Nothing of AGENT000 to
// AGENT003 is left; the directories of the other two are.
func vanished(t *testing.T, grace string) *world {
	w := newWorld(t, "orphan-grace", grace, "settle", "0s", "mass-missing-hold", "1h")
	w.fleet(8)
	w.want(0, "sync")
	w.write(filepath.Join(w.mailbox(w.agent(agentID(0)).RelaySubject), "new", "letter"), "undelivered")
	for i := range 6 {
		gone := w.project(fmt.Sprintf("p%03d", i))
		if i > 3 {
			gone = filepath.Join(gone, ".dork")
		}
		w.remove(gone)
	}
	return w
}

// standing lists the agents that the index has, with their status.
func (w *world) standing() []string {
	w.t.Helper()
	list := []string{}
	for _, a := range ask[agentsView](w, 0, "agents").Agents {
		list = append(list, a.ID+" "+a.Status)
	}
	slices.Sort(list)
	return list
}

// wantHeld wants the six to be missing and held, with an end.
func (w *world) wantHeld() {
	w.t.Helper()
	for i := range 6 {
		if a := w.agent(agentID(i)); a.Status != "unreachable" || a.Hold == nil || a.Hold.Reason != "MassMissing" || a.Hold.Until == nil {
			w.t.Errorf("held: %+v %+v", a, a.Hold)
		}
	}
}

// Six of eight are held long after their grace; released, they go at once.
func TestReleaseAfterTheGrace(t *testing.T) {
	for _, served := range []bool{false, true} {
		t.Run(map[bool]string{true: "through the daemon", false: "without a daemon"}[served], func(t *testing.T) {
			w := vanished(t, "1s")
			if served {
				w.start()
			}
			w.want(0, "sync")
			time.Sleep(1200 * time.Millisecond)
			w.want(0, "sync")
			w.wantHeld()
			if e := w.oneError(w.want(1, "release", w.project("p000"), "-o", "json").stderr); e.Error.Code != "notFound" {
				t.Errorf("no root: %+v", e)
			}
			w.wantHeld()
			w.want(64, "release")
			w.want(64, "release", w.projects, "--all")
			w.wantHeld()

			said := w.want(0, "release", w.projects).stdout
			if !strings.Contains(said, "released: "+w.projects) {
				t.Errorf("said: %s", said)
			}
			// A daemon has to have seen an absence twice.
			want := []string{"AGENT006 active", "AGENT007 active"}
			eventually(t, func() error {
				if diff := cmp.Diff(want, w.standing()); diff != "" {
					return fmt.Errorf("left (-want +got):\n%s", diff)
				}
				return nil
			})
			w.want(0, "plan")

			letters := map[string]bool{}
			for _, s := range ask[tombstonesView](w, 0, "tombstones").Tombstones {
				letters[s.ID] = s.Mail
				if s.Reason != "Removed" || s.At == "" || !strings.HasPrefix(s.ProjectPath, w.projects) || s.Name == "" {
					t.Errorf("tombstone %+v", s)
				}
			}
			if diff := cmp.Diff(map[string]bool{
				agentID(0): true, agentID(1): false, agentID(2): false, agentID(3): false, agentID(4): false, agentID(5): false,
			}, letters); diff != "" {
				t.Errorf("tombstones and mail (-want +got):\n%s", diff)
			}
			if people := w.want(0, "tombstones").stdout; !strings.Contains(people, "MAIL") || strings.Count(people, "Removed") != 6 {
				t.Errorf("for people:\n%s", people)
			}
		})
	}
}

// A release leaves the grace as it is, says who is due when, and lasts: it is
// not held again by a daemon that starts later. Who returns stays.
func TestReleaseWithinTheGrace(t *testing.T) {
	w := vanished(t, "10s")
	d := w.start()
	w.want(0, "sync")
	w.wantHeld()
	missing := *w.agent(agentID(1)).MissingSince
	said := w.want(0, "release", "--all").stdout
	for _, word := range []string{"every scan root; 0 agents", agentID(1), "(in ", "REMOVAL"} {
		if !strings.Contains(said, word) {
			t.Errorf("%q is not said in:\n%s", word, said)
		}
	}
	d.stop()
	w.manifest("p000", agentID(0), nil)
	w.manifest("p001", agentID(1), nil)
	w.start()
	w.want(0, "sync")
	a := w.agent(agentID(2))
	if a.Hold != nil && a.Hold.Reason == "MassMissing" || a.MissingSince == nil || *a.MissingSince != missing {
		t.Errorf("after a restart, missing since %s: %+v", missing, a)
	}
	want := []string{"AGENT000 active", "AGENT001 active", "AGENT006 active", "AGENT007 active"}
	eventually(t, func() error {
		if diff := cmp.Diff(want, w.standing()); diff != "" {
			return fmt.Errorf("left (-want +got):\n%s", diff)
		}
		return nil
	})
	if took := time.Since(instantOf(t, missing)); took < 10*time.Second || took > patience {
		t.Errorf("they went after %s", took)
	}
}

func instantOf(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// kept is what a manifest says beside id, name and origin.
var kept = fields{
	"namespace": "teams", "description": "words", "displayName": "The One", "persona": "p\nq", "personaEnabled": false,
	"capabilities": []string{"review", "\u00fc <b>"}, "behavior": map[string]any{"responseMode": "silent", "escalationThreshold": 2.5},
	"color": "#fff", "icon": "i", "model": "m", "effort": "high", "account": "a",
	"traits":      map[string]any{"verbosity": 1, "autonomy": 2, "chaos": 3, "creativity": 4, "humor": 5, "spice": 1},
	"conventions": map[string]any{"soul": true, "nope": false, "dorkosKnowledge": true},
}

// everything of the row but what its making tells.
const everything = `SELECT json_array(id, name, runtime, namespace, project_path, scan_root, status, description, capabilities_json, behavior_json,
	display_name, persona, persona_enabled, color, icon, is_system, model, effort, account, traits_json, conventions_json,
	registered_at, approver, last_seen_at, last_seen_event) FROM agents WHERE id = ?`

// An agent that left comes back with all that was its own.
func TestRestore(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, start func()) {
		w.settings["orphan-grace"], w.settings["settle"] = "0s", "0s"
		w.manifest("one", "ONE", kept)
		w.manifest("two", "TWO", nil)
		w.want(0, "sync")
		w.sql("UPDATE agents SET last_seen_at = '2026-03-04T05:06:07.000Z', last_seen_event = 'heartbeat' WHERE id = 'ONE'")
		w.write(filepath.Join(w.mailbox("relay.agent.teams.ONE"), "new", "letter"), "undelivered")
		row := w.cell(everything, "ONE")
		w.remove(w.project("one/.dork"))
		w.remove(w.project("two"))
		w.want(0, "sync")
		w.want(0, "sync")
		start()

		if got := ask[tombstonesView](w, 0, "tombstones").Tombstones; len(got) != 2 || got[0].ID != "ONE" || !got[0].Mail || got[1].Mail ||
			got[0].Namespace != "teams" || got[0].ProjectPath != w.project("one") || got[0].Name != "one" || got[0].Runtime != "claude-code" {
			t.Fatalf("tombstones %+v", got)
		}
		o := ask[outcomeView](w, 0, "tombstones", "restore", "ONE")
		if o.Reason != "Resurrected" || !o.Finished || o.Path != w.project("one") || o.Agent == nil || !o.Agent.Endpoint {
			t.Errorf("restored %+v", o)
		}
		if diff := cmp.Diff(row, w.cell(everything, "ONE")); diff != "" {
			t.Errorf("row (-before +restored):\n%s", diff)
		}
		w.wantManifest("one", "ONE", kept)
		if got := w.read(filepath.Join(w.mailbox("relay.agent.teams.ONE"), "new", "letter")); got != "undelivered" {
			t.Errorf("the letter says %q", got)
		}
		w.want(0, "plan", "ONE")
		if got := ask[tombstonesView](w, 0, "tombstones").Tombstones; len(got) != 1 || got[0].ID != "TWO" {
			t.Errorf("tombstones left %+v", got)
		}

		refused := func(code, id, message string) {
			t.Helper()
			e := w.oneError(w.want(1, "tombstones", "restore", id, "-o", "json").stderr).Error
			if e.Code != code || e.Hint == "" || !strings.Contains(e.Message, message) {
				t.Errorf("restore %s: %+v", id, e)
			}
		}
		lock := w.db() + ".lock"
		untouched := func(code, id, message string) {
			t.Helper()
			before := w.tree(lock)
			refused(code, id, message)
			if diff := cmp.Diff(before, w.tree(lock)); diff != "" {
				t.Errorf("restore %s touched (-before +after):\n%s", id, diff)
			}
		}
		untouched("refused", "ONE", "registered")
		untouched("notFound", "NOBODY", "NOBODY")
		untouched("refused", "TWO", "does not exist")
		w.manifest("two", "ANOTHER", nil)
		w.want(0, "sync")
		untouched("refused", "TWO", "ANOTHER")
		w.write(manifestOf(w.project("two")), "{")
		w.want(0, "sync")
		untouched("refused", "TWO", "not valid")
		w.must(os.Remove(manifestOf(w.project("two"))))
		w.want(0, "sync")
		w.want(0, "sync")
		w.want(0, "tombstones", "restore", "TWO")
		w.want(0, "plan", "TWO")
	})
}

// wantManifest compares a manifest with what was once written.
func (w *world) wantManifest(project, id string, changed fields) {
	w.t.Helper()
	var got any
	w.must(json.Unmarshal([]byte(w.read(manifestOf(w.project(project)))), &got))
	want := map[string]any{
		"id": id, "name": project, "runtime": "claude-code",
		"registeredAt": "2026-01-02T03:04:05.000Z", "registeredBy": "e2e",
	}
	maps.Copy(want, changed)
	text, err := json.Marshal(want)
	w.must(err)
	var wanted any
	w.must(json.Unmarshal(text, &wanted))
	if diff := cmp.Diff(wanted, got); diff != "" {
		w.t.Errorf("manifest of %s (-want +got):\n%s", id, diff)
	}
}
