package maildir

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// sample opens the relay of a real home, unpacked.
func sample(t *testing.T, name string) *home {
	t.Helper()
	script, err := filepath.Abs("../../../../shared/samples/unpack.sh")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(script); err != nil {
		t.Skipf("the sample homes are not here: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "x")
	if out, err := exec.CommandContext(t.Context(), "bash", script, name, dir).CombinedOutput(); err != nil {
		t.Fatalf("unpack: %v\n%s", err, out)
	}
	h := &home{t: t, dir: filepath.Join(dir, "home", "relay")}
	h.Relay = h.open()
	return h
}

// expect reads a fact straight off the disk, without the code under test.
func (h *home) subjects() (list []agent.Subject) {
	entries, err := os.ReadDir(h.mailboxes)
	h.must(err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "relay.agent.") {
			list = append(list, agent.Subject(e.Name()))
		}
	}
	return list
}

func TestSampleListing(t *testing.T) {
	tests := []struct {
		name       string
		endpoints  int
		namespaces []string
	}{
		{"dorkos-2026-02", 0, []string{"acme", "platform", "research", "tools"}}, // mailboxes named by hash
		{"dorkos-2026-08", 22, []string{"acme", "attic", "globex", "inbox-keeper", "initech", "library", "robotics", "speech", "system", "trip-planner", "vision"}},
		{"clean-2026-08", 22, []string{"acme", "globex", "inbox-keeper", "initech", "library", "robotics", "speech", "system", "trip-planner", "vision"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := sample(t, tt.name)
			before := h.tree(h.dir)
			l, _, err := h.List(t.Context())
			h.must(err)
			var got []agent.Subject
			for _, e := range l.Endpoints {
				got = append(got, e.Subject)
				if !e.Whole {
					t.Errorf("%s is not whole", e.Subject)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(h.subjects(), got); diff != "" || len(got) != tt.endpoints {
				t.Errorf("%d endpoints, want %d (-want +got):\n%s", len(got), tt.endpoints, diff)
			}
			for _, ns := range tt.namespaces {
				want := agent.RuleSet{Deny: true, Allow: true, SystemOut: ns == "system", SystemIn: ns == "system"}
				want.Deny = want.Deny && (ns != "initech" || tt.name != "dorkos-2026-08")
				if l.Rules[ns] != want {
					t.Errorf("rules of %s: %+v, want %+v", ns, l.Rules[ns], want)
				}
			}
			if len(l.Rules) != len(tt.namespaces) {
				t.Errorf("%d namespaces, want %d", len(l.Rules), len(tt.namespaces))
			}
			if diff := cmp.Diff(before, h.tree(h.dir)); diff != "" {
				t.Errorf("listing wrote something:\n%s", diff)
			}
		})
	}
}

func TestSampleQuiet(t *testing.T) {
	h := sample(t, "clean-2026-08")
	before := h.tree(h.dir)
	l, _, err := h.List(t.Context())
	h.must(err)
	var batch []relay.Rules
	for ns, set := range l.Rules {
		batch = append(batch, relay.Rules{Namespace: ns, System: set.SystemIn})
	}
	h.must(h.EnsureRules(t.Context(), batch))
	for _, s := range h.subjects() {
		h.must(h.EnsureEndpoint(t.Context(), s))
	}
	if h.writes.Load() != 0 {
		t.Error("rules were written although nothing was missing")
	}
	if diff := cmp.Diff(before, h.tree(h.dir)); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
}

// The deny rule that somebody deleted comes back in its place, and the rules
// of a namespace that was left go; all else keeps its bytes.
func TestSampleMissingDeny(t *testing.T) {
	h := sample(t, "dorkos-2026-08")
	before := h.text()
	h.must(h.EnsureRules(t.Context(), []relay.Rules{{Namespace: "initech"}}))
	last := "  {\n    \"from\": \"relay.agent.globex.*\",\n    \"to\": \"relay.agent.>\",\n    \"action\": \"deny\",\n    \"priority\": 10\n  }"
	want := strings.Replace(before, last, last+",\n"+strings.Replace(last, "globex", "initech", 1), 1)
	if diff := cmp.Diff(want, h.text()); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	h.must(h.RemoveRules(t.Context(), []relay.Removal{{Namespace: "robotics"}}))
	for _, line := range [][2]string{{"relay.agent.robotics.*", "allow\",\n    \"priority\": 100"}, {"relay.agent.>", "deny\",\n    \"priority\": 10"}} {
		want = strings.Replace(want, "  {\n    \"from\": \"relay.agent.robotics.*\",\n    \"to\": \""+line[0]+"\",\n    \"action\": \""+line[1]+"\n  },\n", "", 1)
	}
	if diff := cmp.Diff(want, h.text()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	fi, err := os.Stat(h.rulesPath())
	if err != nil || fi.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
}

// The letters of an agent that moved go along; the lock of a DorkOS that died
// defers nothing and stays.
func TestSampleReaddress(t *testing.T) {
	h := sample(t, "dorkos-2026-08")
	old := agent.Subject("relay.agent.globex.01M0CM31T07GS6WCQK6HMPT4T9")
	next := agent.Subject("relay.agent.initech.01M0CM31T07GS6WCQK6HMPT4T9")
	want := h.letters(h.box(old))
	if len(want) != 2 {
		t.Fatalf("%d letters, want 2", len(want))
	}
	h.must(h.Readdress(t.Context(), old, next))
	if diff := cmp.Diff(want, h.letters(h.box(next))); diff != "" {
		t.Errorf("letters (-want +got):\n%s", diff)
	}
	if exists(h.box(old)) || !exists(filepath.Join(filepath.Dir(h.dir), "instance.lock")) {
		t.Error("the old mailbox stands, or the lock is gone")
	}
}
