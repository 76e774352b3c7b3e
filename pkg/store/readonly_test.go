package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func openReader(t testing.TB, path string) *Store {
	t.Helper()
	return open(t, Options{Path: path, ReadOnly: true})
}

func TestReaderOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	s := openReader(t, filepath.Join(dir, "mesh.db"))
	l, changed := list(t, s)
	if len(l.Entries) > 0 || l.Lost || changed != nil {
		t.Errorf("%+v", l)
	}
	if v := view(t, s, "a"); v.Row != nil {
		t.Error(v)
	}
	if events, err := s.Events(t.Context(), agent.EventFilter{}); err != nil || events != nil {
		t.Error(events, err)
	}
	if got, err := s.Vacant(t.Context(), []string{"ns"}); err != nil || !got["ns"].Empty {
		t.Error(got, err)
	}
	if err := s.QuickCheck(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a reader made something")
	}
}

// Without a writer a reader leaves the folder as it was, whatever the database
// lacks.
func TestReaderTouchesNothing(t *testing.T) {
	for name, sql := range map[string]string{
		"ours, old":  "PRAGMA journal_mode = WAL;" + baseTable + baseRow,
		"rollback":   baseTable + baseRow,
		"DorkOS's":   "PRAGMA journal_mode = WAL;" + ledger + baseTable + seedColumns + baseRow,
		"no records": "PRAGMA journal_mode = WAL;" + baseTable + baseRow + seedColumns,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mesh.db")
			sqlite(t, path, sql)
			before := tree(t, filepath.Dir(path))
			s := openReader(t, path)
			l, _ := list(t, s)
			if len(l.Entries) != 1 || l.Entries[0].ID != "a" {
				t.Errorf("%+v", l)
			}
			if v := view(t, s, "a"); v.Row == nil || v.Row.Path != "/r/a" {
				t.Errorf("%+v", v)
			}
			if _, err := s.Events(t.Context(), agent.EventFilter{}); err != nil {
				t.Error(err)
			}
			if _, err := s.Tombstones(t.Context()); err != nil {
				t.Error(err)
			}
			for _, err := range []error{
				func() error { _, err := s.Commit(t.Context(), insertOf("b")); return err }(),
				s.CommitRoots(t.Context(), []agent.Root{{Path: "/r"}}),
				s.CommitProblems(t.Context(), nil),
				s.Found(t.Context()),
				s.Writable(t.Context()),
				s.Deny(t.Context(), "/r/a", "", t0),
			} {
				if !errors.Is(err, ErrReadOnly) {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(before, tree(t, filepath.Dir(path))); diff != "" {
				t.Error("touched:", diff)
			}
			noHandles(t, path)
		})
	}
}

// Beside a writer a reader sees what is only in its -wal, and stays out of its
// way.
func TestReaderBesideAWriter(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	r := openReader(t, x.path)
	for i, id := range []string{"a", "b", "c"} {
		commit(t, x.s, insert(id, "/r/"+id))
		if i == 2 {
			if err := x.s.Rest(); err != nil {
				t.Fatal(err)
			}
		}
		l, changed := list(t, r)
		if len(l.Entries) != i+1 || !cmp.Equal(changed, []agent.ID{agent.ID(id)}) || l.Lost {
			t.Errorf("after %s: %+v, changed %v", id, l, changed)
		}
		if err := r.QuickCheck(t.Context()); err != nil {
			t.Error(err)
		}
	}
	noSides(t, x.path)
}

// A reader while nobody runs tells a restored index from the last one, too.
func TestReaderTellsALoss(t *testing.T) {
	dir := t.TempDir()
	x := newIndex(t, filepath.Join(dir, "mesh.db"))
	commit(t, x.s, insert("a", "/r/a"))
	if err := x.s.Rest(); err != nil {
		t.Fatal(err)
	}
	copyFile(t, x.path, filepath.Join(dir, "backup"))
	commit(t, x.s, insert("b", "/r/b"))
	x.stop()
	r := openReader(t, x.path)
	if l, _ := list(t, r); l.Lost {
		t.Error("lost without a reason")
	}
	copyFile(t, filepath.Join(dir, "backup"), x.path)
	if l, _ := list(t, r); !l.Lost {
		t.Error("a restored index is taken for the last one")
	}
	x.start()
	if l, _ := list(t, r); !l.Lost {
		t.Error("the controller's word is not heard")
	}
}

func TestQuickCheckBesideOwnWrites(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	fill(t, x.s, 100)
	for range 2 {
		if err := x.s.QuickCheck(t.Context()); err != nil {
			t.Fatal(err)
		}
		commit(t, x.s, insert("a"+newStamp(), "/r/"+newStamp()))
	}
	if err := x.s.Rest(); err != nil {
		t.Fatal(err)
	}
	noSides(t, x.path)
	scribble(t, x.path, 4096*14, 4096*3)
	if err := x.s.QuickCheck(t.Context()); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}
