package hostile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"
	"go.uber.org/goleak"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
	"github.com/mesh-registry/mesh-controller/pkg/store"
	"github.com/mesh-registry/mesh-controller/test/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	goods    = 900
	hostiles = 100
	panicky  = agent.ID("good-0010") // every look at it panics
	mute     = agent.ID("good-0020") // the relay refuses its address
)

var errMute = errors.New("the relay refuses this one")

// fleet is the world with what is expected of it.
type fleet struct {
	*testing.T
	w       *world.World
	rows    map[agent.ID]string // name by id
	attacks map[string]attack
}

func TestHostileTrees(t *testing.T) {
	now := time.Now() // files have real stamps
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{T: t, w: world.New(t), rows: map[agent.ID]string{}}
		f.w.Boot.SetNow(now)
		f.w.Options.ResyncJitter = 0
		f.w.Wrap = func(p *controller.Ports) {
			p.Sources = &trap{Sources: p.Sources, path: f.dir(10)}
			p.Relay = &refusing{Backend: p.Relay}
		}
		f.populate()
		f.w.Start()
		f.first()
		f.quarantined()
		f.edits()
		f.released()
	})
}

func (f *fleet) dir(i int) string {
	return filepath.Join(f.w.Projects, fmt.Sprintf("ns%d", i%10), fmt.Sprintf("good-%04d", i))
}

func (f *fleet) populate() {
	for i := range goods {
		id := agent.ID(fmt.Sprintf("good-%04d", i))
		put(f.T, f.dir(i), fields(string(id), "name", quote(string(id))))
		f.rows[id] = string(id)
	}
	put(f.T, filepath.Join(f.w.Options.ManagedHome, "boss"), fields("boss", "isSystem", "true", "namespace", `"core"`))
	f.rows["boss"] = "hostile"
	put(f.T, filepath.Join(f.w.Projects, "ns1", "chief"), fields("Chief"))
	f.rows["Chief"] = "hostile"
	// It is welcome, but as one without rights.
	put(f.T, filepath.Join(f.w.Projects, "ns1", "climber"), fields("climber", "isSystem", "true"))
	f.rows["climber"] = "hostile"
	put(f.T, filepath.Join(f.w.Projects, "ns1", "runtime"), fields("runtime-ns", "namespace", `"claude-code"`))
	f.rows["runtime-ns"] = "hostile"
	f.attacks = plant(f.T, filepath.Join(f.w.Projects, "zz-hostile"), hostiles)

	crowd := 50_000
	if testing.Short() {
		crowd = 5_000
	}
	spool := filepath.Join(f.w.Projects, "spool")
	must(f.T, os.Mkdir(spool, 0o755))
	for i := range crowd {
		name := filepath.Join(spool, strconv.Itoa(i))
		if i%10 == 0 {
			must(f.T, os.Mkdir(name, 0o755))
			continue
		}
		must(f.T, os.WriteFile(name, nil, 0o644))
	}
}

// first is one resync in which everybody who is good arrives.
func (f *fleet) first() {
	f.Helper()
	before := resident(f.T)
	began := time.Now()
	result := f.w.Sync()
	if took := time.Since(began); took > time.Minute {
		f.Errorf("the resync waited for somebody: %v", took) // by the bubble's clock
	}
	if peak := peak(f.T) - before; peak > growth {
		f.Errorf("memory grew by %d MiB", peak>>20)
	} else {
		f.Logf("memory grew by %d MiB", peak>>20)
	}
	f.failures(result)
	f.check()
	f.visible()
}

// failures are those of the two that are made to fail, and nobody else's.
func (f *fleet) failures(result controller.SyncResult) {
	f.Helper()
	var ids []agent.ID
	for _, x := range result.Failures {
		ids = append(ids, x.ID)
		if strings.Contains(x.Message, "\n") {
			f.Errorf("the message of %s has lines: %q", x.ID, x.Message)
		}
	}
	if diff := cmp.Diff([]agent.ID{panicky, mute}, ids); diff != "" {
		f.Errorf("failures (-want +got):\n%s\n%+v", diff, result.Failures)
	}
}

// quarantined: after five panics the key is left alone, until a full resync. A
// timer of its backoff may still bring it once or twice.
func (f *fleet) quarantined() {
	f.Helper()
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	looks := trapped.Load()
	time.Sleep(time.Hour)
	synctest.Wait()
	if n := trapped.Load() - looks; n != 0 {
		f.Errorf("it was looked at %d times more", n)
	}
	if looks < 5 || looks > 7 {
		f.Errorf("it was looked at %d times before it was left alone", looks)
	}
	if !f.listed() {
		f.Error("nothing lists it as quarantined")
	}
	result, err := f.w.Loop().Sync(f.Context(), controller.SyncRequest{Full: true})
	must(f.T, err)
	f.failures(result)
	if trapped.Load() == looks {
		f.Error("a full resync did not look at it")
	}
	f.check()
}

// listed reports whether the problems have the key that is left alone.
func (f *fleet) listed() bool {
	f.Helper()
	all, err := f.w.Loop().Agents(f.Context())
	must(f.T, err)
	return slices.ContainsFunc(all.Problems, func(p controller.ProblemStatus) bool {
		return p.Reason == agent.Quarantined && p.AgentID != nil && *p.AgentID == panicky && p.Path == f.dir(10)
	})
}

// released: once nothing panics any more, a full resync takes it off the list.
func (f *fleet) released() {
	f.Helper()
	disarmed.Store(true)
	_, err := f.w.Loop().Sync(f.Context(), controller.SyncRequest{Full: true})
	must(f.T, err)
	if f.listed() {
		f.Error("it is still listed as quarantined")
	}
}

// edits go on beside all of this.
func (f *fleet) edits() {
	f.Helper()
	for i := 100; i < 200; i++ {
		id := agent.ID(fmt.Sprintf("good-%04d", i))
		put(f.T, f.dir(i), fields(string(id), "name", `"edited"`))
		f.rows[id] = "edited"
	}
	for i := 200; i < 210; i++ { // a file where the project was
		must(f.T, os.RemoveAll(f.dir(i)))
		must(f.T, os.WriteFile(f.dir(i), nil, 0o644))
	}
	f.sql(`UPDATE agents SET name = x'00ff', namespace = 7.5, capabilities_json = '{', behavior_json = '` + strings.Repeat("[", 100) + `',
		budget_json = x'01', status = 'odd', scan_root = 3, updated_at = x'02' WHERE id LIKE 'good-030%'`)
	result := f.w.Sync()
	if result.Counts.Unreachable != 10 {
		f.Errorf("unreachable: %d, want 10", result.Counts.Unreachable)
	}
	f.check()
	f.visible()
	missing := 0
	for _, a := range f.w.Agents().Agents {
		if a.Reason == agent.PathMissing {
			missing++
		}
	}
	if missing != 10 {
		f.Errorf("%d are missing, want 10", missing)
	}
}

// check compares rows, addresses and rules with what is expected: everybody has
// them but for the one that cannot be looked at.
func (f *fleet) check() {
	f.Helper()
	want, got := map[agent.ID]string{}, map[agent.ID]string{}
	boxes := []string{}
	for id, name := range f.rows {
		if id != panicky {
			want[id] = name
		}
	}
	namespaces := map[string]bool{}
	for _, a := range f.w.Agents().Agents {
		got[a.ID] = a.Name
		namespaces[a.Namespace] = true
		if a.ID != mute {
			boxes = append(boxes, a.RelaySubject)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("rows (-want +got):\n%s", diff)
	}
	entries, err := os.ReadDir(filepath.Join(f.w.Home, "relay", "mailboxes"))
	must(f.T, err)
	var there []string
	for _, e := range entries {
		there = append(there, e.Name())
	}
	slices.Sort(boxes)
	if diff := cmp.Diff(boxes, there); diff != "" {
		f.Errorf("mailboxes (-want +got):\n%s", diff)
	}
	if want := 12; len(namespaces) != want || !namespaces["claude-code-ns"] {
		f.Errorf("namespaces: %v", namespaces)
	}
	rules, err := os.ReadFile(filepath.Join(f.w.Home, "relay", "access-rules.json"))
	must(f.T, err)
	if n := strings.Count(string(rules), `"priority": 200`) + strings.Count(string(rules), `"priority":200`); n != 2 {
		f.Errorf("%d rules of system agents, want the 2 of core", n)
	}
}

// visible: every attack is listed with its path, why, and where in the file.
func (f *fleet) visible() {
	f.Helper()
	told := map[string]controller.ProblemStatus{}
	for _, p := range f.w.Agents().Problems {
		told[p.Path] = p
	}
	for dir, a := range f.attacks {
		p, ok := told[dir]
		if !ok {
			f.Errorf("nothing is said of %s", dir)
			continue
		}
		if p.Reason != a.want || !a.matches(p.Message) {
			f.Errorf("%s: %s %q, want %s %q", filepath.Base(dir), p.Reason, p.Message, a.want, a.says)
		}
		if len(p.Message) > 1000 {
			f.Errorf("%s: a message of %d bytes", dir, len(p.Message))
		}
		delete(told, dir)
	}
	delete(told, f.dir(10)) // see quarantined
	for path, p := range told {
		f.Errorf("%s: %s %q", path, p.Reason, p.Message)
	}
}

func (f *fleet) sql(statement string) {
	f.Helper()
	db, err := sqlite3.OpenFlags(store.DefaultPath(f.w.Home), sqlite3.OPEN_READWRITE)
	must(f.T, err)
	must(f.T, db.Exec(statement))
	must(f.T, db.Close())
}

// refusing is a relay that does not take one address.
type refusing struct{ relay.Backend }

func (r *refusing) EnsureEndpoint(ctx context.Context, s agent.Subject) error {
	if _, id, _ := agent.ParseSubject(string(s)); id == mute {
		return errMute
	}
	return r.Backend.EnsureEndpoint(ctx, s)
}
