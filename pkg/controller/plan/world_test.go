package plan_test

import (
	"hash/fnv"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// The small world that the tests look at: one id, its home, two other places
// where it may turn up, and a neighbour.
const (
	self      agent.ID = "Self"
	neighbour agent.ID = "Neighbour"

	root      = "/w"
	homePath  = "/w/p/home"
	alphaPath = "/w/p/alpha" // before homePath in lexical order
	zuluPath  = "/w/q/zulu"  // after it, and in another namespace

	grace     = 24 * time.Hour
	settle    = time.Minute
	unmounted = 720 * time.Hour
)

var (
	now = agent.Stamp{Wall: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), BootID: "boot", Offset: time.Hour}

	disk  = agent.Mount{Point: "/w", Type: "ext4", Source: "/dev/a", Root: "/", FSID: "a"}
	stick = agent.Mount{Point: "/w", Type: "ext4", Source: "/dev/b", Root: "/", FSID: "b"}

	everyField = agent.FieldSet(1<<agent.NumFields - 1)
	// ours leaves one column to somebody else.
	ours    = everyField &^ (1 << agent.FieldTraits)
	daemon  = plan.Policy{OrphanGrace: grace, Settle: settle, UnmountedGrace: unmounted}
	oneShot = plan.Policy{OrphanGrace: grace, Settle: settle, UnmountedGrace: unmounted, OneShot: true}
)

func manifestOf(id agent.ID) *agent.Manifest {
	return &agent.Manifest{
		ID: id, Name: "name of " + string(id), Runtime: "codex",
		RegisteredAt: "2026-01-02T03:04:05Z", RegisteredBy: "somebody",
		Behavior: agent.Behavior{ResponseMode: "always"},
		Budget:   agent.Budget{MaxHopsPerMessage: 5, MaxCallsPerHour: 100}, PersonaEnabled: true,
	}
}

// placed is the placement of a project below the root.
func placed(path string) plan.Placement {
	return plan.Placement{ScanRoot: root, Namespace: path[len("/w/"):len("/w/p")]}
}

// dirOf is the identity of the directory at path.
func dirOf(path string) agent.FileID {
	h := fnv.New32a()
	_, _ = h.Write([]byte(path)) // never fails
	return agent.FileID{Dev: 1, Ino: uint64(h.Sum32())}
}

func lookPresent(path string, id agent.ID) agent.Look {
	return agent.Look{Path: path, Class: agent.Present, Manifest: manifestOf(id), Mount: disk, Dir: dirOf(path)}
}

func lookInvalid(path string) agent.Look {
	return agent.Look{
		Path: path, Class: agent.Invalid, Mount: disk, Dir: dirOf(path),
		Problem: &agent.Violation{Line: 1, Column: 2, Message: "not JSON"},
	}
}

func lookUnknown(path string) agent.Look {
	return agent.Look{Path: path, Class: agent.Unknown, Err: "EIO"}
}

func lookFileMissing(path string) agent.Look {
	return agent.Look{Path: path, Class: agent.FileMissing, Err: "ENOENT", Mount: disk, Dir: dirOf(path)}
}

func lookDirMissing(path string) agent.Look {
	return agent.Look{Path: path, Class: agent.DirMissing, Err: "ENOENT", Mount: disk}
}

// homeOf is the recorded place, as a fresh look sees it.
func homeOf(l agent.Look) *plan.Home {
	return &plan.Home{Look: l, RootMount: disk, Dir: dirOf(l.Path), Place: placed(l.Path)}
}

func claimOf(l agent.Look) plan.Claim {
	return plan.Claim{Look: l, Place: placed(l.Path), Complete: true, RootMount: disk}
}

func claimAt(path string) plan.Claim { return claimOf(lookPresent(path, self)) }

// rowAt is the row that the manifest of self asks for at path.
func rowAt(path string) *agent.Record {
	return &agent.Record{
		ID: self, Path: path, ScanRoot: root, Status: agent.Active,
		Fields:       agent.Desired(manifestOf(self), agent.Place{Namespace: placed(path).Namespace}),
		RegisteredAt: "2025-12-31T00:00:00.000Z", Approver: agent.TextCell("approver"),
		LastSeenAt: agent.TextCell("2026-02-28T00:00:00.000Z"), LastSeenEvent: agent.TextCell("seen"),
		Entrypoint: agent.TextCell("main"), Version: agent.TextCell("7"),
		UpdatedAt: "2026-02-01T00:00:00.000Z",
	}
}

func tombstone(r agent.Reason, path string) *agent.Tombstone {
	return &agent.Tombstone{ID: self, Reason: r, At: now.Wall.Add(-time.Hour), Record: *rowAt(path)}
}

// missingFor is the memory of an absence that began so long ago.
func missingFor(d time.Duration, e agent.Evidence) *agent.State {
	clock := now
	clock.Wall = clock.Wall.Add(-d)
	return &agent.State{ID: self, MissingSince: clock.Wall, Clock: clock, Evidence: e, Mount: disk}
}

func endpoint(namespace string) agent.Endpoint {
	return agent.Endpoint{Subject: agent.SubjectOf(namespace, self), Whole: true, In: "/mail"}
}

// healthyRelay has the address of self in namespace p and the rules of it.
func healthyRelay() plan.Relay {
	return plan.Relay{
		Enabled:   true,
		Endpoints: []agent.Endpoint{endpoint("p")},
		Rules:     map[string]agent.RuleSet{"p": {Deny: true, Allow: true}},
	}
}

// steady is an active agent with nothing to do.
func steady() plan.Observation {
	return plan.Observation{
		ID: self, Now: now, Row: rowAt(homePath), Written: ours,
		Home: homeOf(lookPresent(homePath, self)), Relay: healthyRelay(),
		Complete: true, Looks: 2, AbsentFor: settle,
	}
}
