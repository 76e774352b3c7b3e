package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/ncruces/go-sqlite3"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		commitUntilKilled(path)
		return
	}
	goleak.VerifyTestMain(m)
}

var t0 = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) agent.Stamp {
	return agent.Stamp{Wall: t0.Add(d), BootID: "boot-1", Offset: time.Hour}
}

// open opens a store and closes it with the test.
func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// openNew opens a new index: a copy of one that was made for all tests, since
// most are not about how it is made.
func openNew(t testing.TB) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mesh.db")
	if err := os.WriteFile(path, newIndexFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, Options{Path: path, Now: time.Now})
}

var newIndexFile = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "mesh.db")
	s, err := Open(context.Background(), Options{Path: path, Now: time.Now})
	if err != nil {
		panic(err)
	}
	if err := s.Close(); err != nil {
		panic(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return b
})

func record(id, path string) *agent.Record {
	m := &agent.Manifest{
		ID: agent.ID(id), Name: "name of " + id, Runtime: "codex", Description: "d",
		Behavior: agent.Behavior{ResponseMode: "always"}, Budget: agent.Budget{MaxHopsPerMessage: 5, MaxCallsPerHour: 100},
		PersonaEnabled: true,
	}
	return &agent.Record{
		ID: m.ID, Path: path, ScanRoot: "/r", Status: agent.Active,
		Fields:       agent.Desired(m, agent.Place{Namespace: "ns"}),
		RegisteredAt: "2026-01-01T00:00:00.000Z", Approver: agent.TextCell("me"),
	}
}

func insert(id, path string) agent.Change {
	return agent.Change{ID: agent.ID(id), At: at(0), Op: agent.InsertRow, Row: record(id, path)}
}

// commit applies changes that must all succeed.
func commit(t testing.TB, s *Store, changes ...agent.Change) {
	t.Helper()
	errs, err := s.Commit(t.Context(), changes)
	if err := errors.Join(append(errs, err)...); err != nil {
		t.Fatal(err)
	}
}

// conflict applies a change that must be refused.
func conflict(t testing.TB, s *Store, ch agent.Change) {
	t.Helper()
	errs, err := s.Commit(t.Context(), []agent.Change{ch})
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(errs[0], agent.ErrConflict) {
		t.Fatalf("got %v, want a conflict", errs[0])
	}
}

func view(t testing.TB, s *Store, id string) agent.View {
	t.Helper()
	views, _, err := s.Read(t.Context(), []agent.ID{agent.ID(id)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return views[agent.ID(id)]
}

func list(t testing.TB, s *Store) (*agent.IndexListing, []agent.ID) {
	t.Helper()
	l, changed, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l, changed
}

// sqlite runs SQL on a file by another connection.
func sqlite(t testing.TB, path, sql string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Exec(`PRAGMA busy_timeout = 5000;` + sql); err != nil {
		t.Fatal(err)
	}
}

// selectText reads one text column of a query by another connection.
func selectText(t testing.TB, path, sql string) []string {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	st, _, err := db.Prepare(sql)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var out []string
	for st.Step() {
		out = append(out, st.ColumnText(0))
	}
	if err := st.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// sample unpacks a home of DorkOS and returns its folder.
func sample(t testing.TB, name string) string {
	t.Helper()
	script, err := filepath.Abs("../../../shared/samples/unpack.sh")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(script); err != nil {
		t.Skip("the sample homes are not beside this module")
	}
	dir := t.TempDir()
	if out, err := exec.Command("bash", script, name, dir).CombinedOutput(); err != nil {
		t.Fatalf("unpack %s: %v\n%s", name, err, out)
	}
	return dir
}

// One op is a row with its event; us-cpu/op is what the process spent on it, which
// a busy machine does not change much.
func BenchmarkCommitInsert(b *testing.B) {
	s := newIndex(b, filepath.Join(b.TempDir(), "mesh.db")).s
	n, took := 0, time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		if n%maxChanges == 0 {
			b.StopTimer()
			changes := discoveries(n, maxChanges)
			before := cpuTime(b)
			b.StartTimer()
			commit(b, s, changes...)
			took += cpuTime(b) - before
		}
		n++
	}
	b.ReportMetric(float64(took.Nanoseconds())/1e3/float64(n), "us-cpu/op")
}

// discoveries are changes of a cold sync: ids in no order, paths in theirs.
func discoveries(from, n int) []agent.Change {
	changes := make([]agent.Change, n)
	for i := range changes {
		id := fmt.Sprintf("01J%016x%07d", xxhash.Sum64String(strconv.Itoa(from+i)), from+i)
		path := fmt.Sprintf("/srv/teams/team-%04d/project-%06d", (from+i)/100, from+i)
		changes[i] = insert(id, path)
		changes[i].Events = []agent.Event{{At: t0, ID: agent.ID(id), Reason: agent.Discovered, Path: path}}
	}
	return changes
}

func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkList(b *testing.B) {
	s := openNew(b)
	commit(b, s, discoveries(0, 10_000)...)
	list(b, s)
	before := cpuTime(b)
	b.ReportAllocs()
	for b.Loop() {
		s.memory.dirty = true
		list(b, s)
		if err := s.Rest(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/1e3/10_000/float64(b.N), "us-cpu/row")
}

func fill(t testing.TB, s *Store, n int) {
	t.Helper()
	var changes []agent.Change
	for i := range n {
		id := fmt.Sprintf("01J%023d", i)
		changes = append(changes, insert(id, "/r/ns/"+id))
	}
	commit(t, s, changes...)
}

func insertOf(id string) []agent.Change { return []agent.Change{insert(id, "/r/"+id)} }
