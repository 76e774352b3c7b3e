package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// TestLocate has one row per rule of where a namespace comes from.
func TestLocate(t *testing.T) {
	roots := plan.Roots{
		Managed:    "/home/me/.dork/agents",
		Configured: []string{"/w", "/w/deep", "/home/me"},
		Recorded:   []string{"/w/deep/er", "/old"},
	}
	for _, c := range []struct {
		name, path, explicit string
		reserved             string
		want                 plan.Placement
		problem              bool
	}{
		{name: "a namespace of the manifest", path: "/w/p/home", explicit: "Mine", want: plan.Placement{ScanRoot: "/w", Namespace: "mine"}},
		{name: "a blank one is none", path: "/w/p/home", explicit: " \t", want: plan.Placement{ScanRoot: "/w", Namespace: "p"}},
		{name: "the first segment below the root", path: "/w/Team One/x/y", want: plan.Placement{ScanRoot: "/w", Namespace: "team-one"}},
		{name: "the longest configured root", path: "/w/deep/er/x", want: plan.Placement{ScanRoot: "/w/deep", Namespace: "er"}},
		{name: "a recorded root where no configured one contains it", path: "/old/x/y", want: plan.Placement{ScanRoot: "/old", Namespace: "x"}},
		{name: "the directory's own name at the root", path: "/w", want: plan.Placement{ScanRoot: "/w", Namespace: "w"}},
		{name: "the directory's own name outside every root", path: "/srv/a/thing", want: plan.Placement{Namespace: "thing"}},
		{name: "a name that only begins like a root", path: "/well/x", want: plan.Placement{Namespace: "x"}},
		{name: "the managed home before a configured root", path: "/home/me/.dork/agents/bot", want: plan.Placement{ScanRoot: "/home/me/.dork/agents", Namespace: "bot", Managed: true}},
		{name: "the managed home itself is not managed", path: "/home/me/.dork/agents", want: plan.Placement{ScanRoot: "/home/me/.dork/agents", Namespace: "agents"}},
		{name: "a runtime's name is kept clear of", path: "/w/codex/x", want: plan.Placement{ScanRoot: "/w", Namespace: "codex-ns"}},
		{name: "nothing usable falls through to default", path: "/w/___", want: plan.Placement{ScanRoot: "/w", Namespace: "default"}},
		{name: "an explicit one that is not usable is invalid", path: "/w/p/home", explicit: "___", want: plan.Placement{ScanRoot: "/w"}, problem: true},
		{
			name: "an explicit one that is too long is invalid", path: "/w/p/home", explicit: strings.Repeat("x", 65),
			want: plan.Placement{ScanRoot: "/w", Namespace: strings.Repeat("x", 65)}, problem: true,
		},
		{name: "a reserved one may not be named", path: "/w/p/home", explicit: "sys", reserved: "sys", want: plan.Placement{ScanRoot: "/w", Namespace: "sys"}, problem: true},
		{name: "a reserved one may not be derived", path: "/w/sys/x", reserved: "sys", want: plan.Placement{ScanRoot: "/w", Namespace: "sys"}, problem: true},
		{name: "a reserved one is the managed home's", path: "/home/me/.dork/agents/sys", reserved: "sys", want: plan.Placement{ScanRoot: "/home/me/.dork/agents", Namespace: "sys", Managed: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := manifestOf(self)
			m.Namespace = c.explicit
			got := plan.Locate(m, c.path, roots, map[string]bool{c.reserved: true})
			if (got.Problem != nil) != c.problem || c.problem && (got.Problem.Field != "namespace" || got.Problem.Message == "") {
				t.Errorf("problem: %v", got.Problem)
			}
			got.Problem = nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("placement (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLocateWithoutManagedHome: nothing is managed where there is no such home.
func TestLocateWithoutManagedHome(t *testing.T) {
	got := plan.Locate(manifestOf(self), "/w/p/home", plan.Roots{Configured: []string{"/w"}}, map[string]bool{"p": true})
	if got.Managed || got.Problem == nil {
		t.Errorf("got %+v, want a reserved namespace refused", got)
	}
}

// TestRestoredColumns: who returns gets back what only the index knew; a
// newcomer has it from the manifest.
func TestRestoredColumns(t *testing.T) {
	o := steady()
	newcomer(&o, claimAt(alphaPath))
	fresh := rowAt(alphaPath)
	fresh.RegisteredAt, fresh.Approver, fresh.UpdatedAt = "2026-01-02T03:04:05.000Z", agent.TextCell("somebody"), ""
	fresh.LastSeenAt, fresh.LastSeenEvent, fresh.Entrypoint, fresh.Version = agent.Cell{}, agent.Cell{}, agent.Cell{}, agent.Cell{}
	if diff := cmp.Diff(fresh, plan.Compute(o, daemon).Change.Row); diff != "" {
		t.Errorf("newcomer (-want +got):\n%s", diff)
	}
	for _, r := range []agent.Reason{agent.Displaced, agent.Removed, agent.Denied, agent.Unregistered} {
		o.Tombstone, o.Home = tombstone(r, homePath), homeOf(lookDirMissing(homePath))
		want := rowAt(alphaPath)
		want.UpdatedAt = ""
		if diff := cmp.Diff(want, plan.Compute(o, daemon).Change.Row); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r, diff)
		}
	}
	o.Tombstone = nil
	o.Claims[0].Look.Manifest.RegisteredAt = "2026-01-02T03:04Z"
	if got := plan.Compute(o, daemon).Change.Row.RegisteredAt; got != "2026-01-02T03:04Z" {
		t.Errorf("a time without seconds became %q", got)
	}
}

// TestCopiesAreRefusedInAnyOrder: the first home keeps the id, however often
// and in whatever order its copies are seen.
func TestCopiesAreRefusedInAnyOrder(t *testing.T) {
	o := steady()
	var paths []string
	for i := range 40 {
		path := "/w/p/" + strings.Repeat("c", i+1)
		paths = append(paths, path)
		o.Claims = append(o.Claims, claimAt(path))
	}
	for range 40 {
		o.Claims = append(o.Claims[1:], o.Claims[0])
		p := plan.Compute(o, daemon)
		if len(p.Actions) > 0 || p.Change.Op != agent.KeepRow || p.Change.SetState || p.Reason != agent.DuplicateID {
			t.Fatal(digest(p))
		}
		var got []string
		for _, q := range p.Change.Problems {
			got = append(got, q.Path)
		}
		if diff := cmp.Diff(paths, got); diff != "" {
			t.Fatalf("refused (-want +got):\n%s", diff)
		}
		if p := plan.Compute(apply(o, &p), daemon); !quiet(&p) {
			t.Fatalf("the second time:\n%s", digest(p))
		}
	}
}
