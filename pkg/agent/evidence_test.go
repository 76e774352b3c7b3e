package agent_test

import (
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestJudge(t *testing.T) {
	var (
		disk  = agent.Mount{Point: "/", Type: "ext4", Source: "/dev/sda1", Root: "/", FSID: "1"}
		stick = agent.Mount{Point: "/media", Type: "vfat", Source: "/dev/sdb1", Root: "/", FSID: "2"}
		other = agent.Mount{Point: "/media", Type: "vfat", Source: "/dev/sdb1", Root: "/", FSID: "3"}
		never agent.Mount
	)
	mine, others := &agent.Manifest{ID: "A"}, &agent.Manifest{ID: "B"}
	for _, c := range []struct {
		name       string
		look       agent.Look
		remembered agent.Mount
		want       agent.Evidence
	}{
		{"unknown", agent.Look{Class: agent.Unknown, Mount: disk}, disk, agent.Unknown},
		{"unknown on another mount", agent.Look{Class: agent.Unknown, Mount: stick}, disk, agent.Unknown},
		{"unknown and no anchor", agent.Look{Class: agent.Unknown, AnchorGone: true}, never, agent.Unknown},
		{"present", agent.Look{Class: agent.Present, Manifest: mine, Mount: disk}, disk, agent.Present},
		{"present on another mount", agent.Look{Class: agent.Present, Manifest: mine, Mount: stick}, disk, agent.Present},
		{"present for the first time", agent.Look{Class: agent.Present, Manifest: mine, Mount: disk}, never, agent.Present},
		{"invalid", agent.Look{Class: agent.Invalid, Mount: disk}, disk, agent.Invalid},
		{"invalid on another mount", agent.Look{Class: agent.Invalid, Mount: stick}, disk, agent.Invalid},
		{"another agent", agent.Look{Class: agent.Present, Manifest: others, Mount: disk}, disk, agent.OtherAgent},
		{"another agent on another stick", agent.Look{Class: agent.Present, Manifest: others, Mount: other}, stick, agent.VolumeGone},
		{"another agent, never seen present", agent.Look{Class: agent.Present, Manifest: others, Mount: disk}, never, agent.OtherAgent},
		{"another agent, never seen present, no anchor", agent.Look{Class: agent.Present, Manifest: others, Mount: disk, AnchorGone: true}, never, agent.OtherAgent},
		{"file missing", agent.Look{Class: agent.FileMissing, Mount: disk}, disk, agent.FileMissing},
		{"file missing under an empty mount point", agent.Look{Class: agent.FileMissing, Mount: disk}, stick, agent.VolumeGone},
		{"file missing, never seen present", agent.Look{Class: agent.FileMissing, Mount: disk}, never, agent.FileMissing},
		{"directory missing", agent.Look{Class: agent.DirMissing, Mount: disk}, disk, agent.DirMissing},
		{"directory missing with its stick", agent.Look{Class: agent.DirMissing, Mount: disk}, stick, agent.VolumeGone},
		{"directory missing on another stick", agent.Look{Class: agent.DirMissing, Mount: other}, stick, agent.VolumeGone},
		{"directory missing, never seen present", agent.Look{Class: agent.DirMissing, Mount: disk}, never, agent.DirMissing},
		{"directory and anchor missing, never seen present", agent.Look{Class: agent.DirMissing, Mount: disk, AnchorGone: true}, never, agent.VolumeGone},
		{"directory and anchor missing, mount as remembered", agent.Look{Class: agent.DirMissing, Mount: disk, AnchorGone: true}, disk, agent.DirMissing},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.look.Judge("A", c.remembered); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// The zero value is doubt, and doubt is never an absence.
func TestEvidence(t *testing.T) {
	var zero agent.Evidence
	if zero != agent.Unknown || zero.Absent() {
		t.Error("the zero evidence is more than doubt")
	}
	for e, c := range map[agent.Evidence]struct {
		word   string
		absent bool
		reason agent.Reason
	}{
		agent.Unknown:     {"Unknown", false, agent.UnknownEvidence},
		agent.Present:     {"Present", false, agent.InSync},
		agent.OtherAgent:  {"OtherAgent", true, agent.ManifestMissing},
		agent.Invalid:     {"Invalid", false, agent.ManifestInvalid},
		agent.FileMissing: {"ManifestMissing", true, agent.ManifestMissing},
		agent.DirMissing:  {"PathMissing", true, agent.PathMissing},
		agent.VolumeGone:  {"VolumeMissing", true, agent.VolumeMissing},
	} {
		if e.String() != c.word || e.Absent() != c.absent || e.Reason() != c.reason {
			t.Errorf("%d: %s, %v, %s", e, e, e.Absent(), e.Reason())
		}
		if got := agent.ParseEvidence(c.word); got != e {
			t.Errorf("ParseEvidence(%q) = %v", c.word, got)
		}
	}
	if got := agent.ParseEvidence("present"); got != agent.Unknown {
		t.Errorf("a word that does not exist is %v", got)
	}
}
