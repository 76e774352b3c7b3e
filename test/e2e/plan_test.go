package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A plan says what a sync would do, beside a daemon and without one, and
// changes nothing.
func TestPlan(t *testing.T) {
	for _, served := range []bool{true, false} {
		t.Run(fmt.Sprintf("daemon %t", served), func(t *testing.T) {
			w := newWorld(t)
			w.fleet(4)
			if served {
				w.start()
			} else {
				w.want(0, "sync")
			}
			if p := ask[planView](w, 0, "plan"); len(p.Changes) > 0 || !instant.MatchString(p.At) {
				t.Errorf("in sync: %+v", p)
			}

			w.manifest("p000", agentID(0), fields{"description": "edited"})
			w.move(w.project("p001"), w.project("moved"))
			w.remove(w.project("p002"))
			w.manifest("new", "NEW", nil)
			before := w.tree()
			got := map[string][]string{}
			for _, c := range ask[planView](w, 2, "plan").Changes {
				got[c.ID+" "+c.Reason] = c.types()
			}
			for change, action := range map[string]string{
				agentID(0) + " Drifted":     "updateRow",
				agentID(1) + " Relocated":   "relocateRow",
				agentID(2) + " PathMissing": "markUnreachable",
				"NEW Discovered":            "insertRow",
			} {
				if !slices.Contains(got[change], action) {
					t.Errorf("%s: %v, want %s", change, got[change], action)
				}
			}
			if len(got) != 4 {
				t.Errorf("changes %v", got)
			}
			o := planShape.fits(t, "plan", ask[any](w, 2, "plan", w.project("p000")))
			changes, _ := o["changes"].([]any)
			if len(changes) != 1 {
				t.Fatalf("changes of one target: %v", changes)
			}
			change := shape{"id": "text", "path": "text", "reason": "text", "actions": "list", "removeAt": "time?"}.
				fits(t, "change", changes[0], "message")
			actionShape.each(t, "action", change["actions"])
			w.want(2, "plan") // for people
			w.want(1, "plan", "NOBODY")
			if diff := cmp.Diff(before, w.tree()); diff != "" {
				t.Errorf("a plan wrote (-before +after):\n%s", diff)
			}

			w.want(0, "sync")
			w.want(0, "plan") // an orphan in its grace is nothing to do
		})
	}
}

// Field by field, from what to what.
func TestPlanNamesFields(t *testing.T) {
	w := newWorld(t)
	w.fleet(1)
	w.want(0, "sync")
	w.manifest("p000", agentID(0), fields{"description": "edited", "displayName": "Shown"})
	p := ask[planView](w, 2, "plan", agentID(0))
	got := map[string]string{}
	for _, a := range p.Changes[0].Actions {
		if a.Field != nil {
			got[*a.Field] = fmt.Sprintf("%s %s", orNull(a.From), orNull(a.To))
		}
	}
	if diff := cmp.Diff(map[string]string{"description": " edited", "displayName": "null Shown"}, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func orNull(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

// What would be done later, when a grace is over.
func TestPlanLater(t *testing.T) {
	w := newWorld(t)
	w.fleet(3)
	w.want(0, "sync")
	w.remove(w.project("p001"))
	w.want(0, "sync")
	before := w.tree()
	for _, c := range []struct {
		at      string
		code    int
		removes bool
	}{
		{"+0s", 0, false}, {"+23h", 0, false}, {"+25h", 2, true}, {"2999-01-02T03:04:05Z", 2, true},
	} {
		p := ask[planView](w, c.code, "plan", "--at", c.at)
		removes := false
		for _, change := range p.Changes {
			if slices.Contains(change.types(), "removeRow") {
				removes = true
				if change.ID != agentID(1) || !slices.Contains(change.types(), "removeEndpoint") {
					t.Errorf("--at %s: %+v", c.at, change)
				}
			}
		}
		if removes != c.removes {
			t.Errorf("--at %s: removes %t: %+v", c.at, removes, p.Changes)
		}
	}
	if diff := cmp.Diff(before, w.tree()); diff != "" {
		t.Errorf("a plan wrote (-before +after):\n%s", diff)
	}
	if a := w.agent(agentID(1)); a.RemoveAt == nil || a.Status != "unreachable" {
		t.Errorf("%+v", a)
	}
}

// Nothing is there yet: a plan makes nothing, not even a directory.
func TestPlanOfNothing(t *testing.T) {
	w := newWorld(t)
	w.remove(w.home)
	w.want(0, "plan")
	w.fleet(1)
	w.want(2, "plan")
	w.want(0, "agents")
	w.want(0, "events")
	if got := w.treeOf(w.home); len(got) > 0 {
		t.Errorf("it made %v", got)
	}
}
