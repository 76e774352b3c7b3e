package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var faults = []unix.Errno{unix.EIO, unix.ENOSPC}

func TestDecide(t *testing.T) {
	const old, new, save, newer = mark("0"), mark("1"), mark("2"), mark("3")
	for _, tt := range []struct {
		name        string
		l           label
		here, there mark
		want        verdict
	}{
		{"half written", label{role: part, over: old, put: new}, save, new, discard},
		{"not published", label{role: next, over: old, put: new}, new, old, discard},
		{"not published, saved since", label{role: next, over: old, put: new}, new, save, discard},
		{"published", label{role: next, over: old, put: new}, old, new, discard},
		{"published, saved since", label{role: next, over: old, put: new}, old, save, discard},
		{"over a save", label{role: next, over: old, put: new}, save, new, swap},
		{"over a link", label{role: next, over: old, put: new}, other, new, swap},
		{"over a save, saved again", label{role: next, over: old, put: new}, save, newer, discard},
		{"over a save, deleted since", label{role: next, over: old, put: new}, save, none, restore},
		{"over a link, saved since", label{role: next, over: old, put: new}, other, newer, leave},
		{"to go back", label{role: back, over: new, put: save}, save, new, swap},
		{"to go back, saved again", label{role: back, over: new, put: save}, save, newer, discard},
		{"to go back, deleted since", label{role: back, over: new, put: save}, save, none, restore},
		{"gone back", label{role: back, over: new, put: save}, new, save, discard},
		{"gone back, saved since", label{role: back, over: new, put: save}, new, newer, discard},
		{"gone back over a newer one", label{role: back, over: new, put: save}, newer, save, swap},
		{"back, unread then", label{role: back, over: new, put: other}, save, new, swap},
		{"taken away", label{role: gone, over: old, put: none}, old, none, discard},
		{"taken away, saved since", label{role: gone, over: old, put: none}, old, save, discard},
		{"a save taken away", label{role: gone, over: old, put: none}, save, none, restore},
		{"a save taken away, saved again", label{role: gone, over: old, put: none}, save, newer, discard},
		{"nothing", label{role: next, over: old, put: new}, none, new, leave},
		{"a link that only looks like ours", label{role: part}, other, old, leave},
	} {
		if got := tt.l.decide(tt.here, tt.there); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestLabelsAreReadBack(t *testing.T) {
	for _, l := range []label{
		{next, "agent.json", markOf([]byte("a")), markOf(nil)},
		{gone, "a.next.b", markOf(nil), none},
		{part, "f", none, markOf(nil)},
		{back, " ", other, other},
	} {
		if got, ok := parseLabel(l.newName()); !ok || got != l || !IsTemp(l.newName()) {
			t.Errorf("%+v read back as %+v, %v", l, got, ok)
		}
	}
	for _, name := range []string{
		"f", ".mesh-controller.f", oldName, label{next, "..", none, none}.newName(), label{next, ".", none, none}.newName(),
		label{next, oldName, none, none}.newName(), label{"else", "f", none, none}.newName(),
	} {
		if l, ok := parseLabel(name); ok {
			t.Errorf("%s is %+v", name, l)
		}
	}
}

// oldName is a name of earlier versions.
const oldName = ".mesh-controller.f.0123456789abcdef"

func TestRecoverWhereNothingIs(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "f"), "f", 0o600)
	for _, path := range []string{dir, dir + "/no", dir + "/f/no", dir + "/f"} {
		if did, err := Recover(path); did || err != nil {
			t.Errorf("%s: %v, %v", path, did, err)
		}
	}
}

func TestRecoverLeavesWhatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	p := func(n string) string { return filepath.Join(dir, n) }
	put(t, p("f"), "old", 0o600)
	put(t, p(oldName), "young", 0o600)
	put(t, p(tempPrefix+"notes"), "x", 0o600)
	put(t, p(".agent-1.tmp"), "x", 0o600)
	l := label{next, "f", markOf([]byte("old")), markOf([]byte("next"))}
	if err := os.Symlink("f", p(l.newName())); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p(l.newName()), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(p(l.newName()), 0o600); err != nil {
		t.Fatal(err)
	}
	before := names(t, dir)
	if did, err := Recover(dir); did || err != nil {
		t.Errorf("%v, %v", did, err)
	}
	if after := names(t, dir); len(after) != len(before) {
		t.Errorf("%q, was %q", after, before)
	}
}

// later puts the clock of the file system forward: a ctime cannot be set back.
func later(s *steps, by time.Duration) {
	s.now = func(dir *os.File) (time.Time, bool) {
		now, ok := clock(dir)
		return now.Add(by), ok
	}
}

func TestOldNamesGoOnceTheyAreOld(t *testing.T) {
	sc := newScene(t)
	put(t, sc.path, "f", 0o600)
	put(t, filepath.Join(sc.dir.Name(), oldName), "half", 0o600)
	for _, by := range []time.Duration{0, abandonedAfter - time.Minute, abandonedAfter} {
		did, err := with(func(s *steps) { later(s, by) }).recoverAt(sc.dir)
		if did != (by == abandonedAfter) || err != nil {
			t.Errorf("after %v: %v, %v", by, did, err)
		}
	}
	wantAlone(t, sc.path)
}

// Without locks a leftover may be a running writer's.
func TestRecoverWithoutLocks(t *testing.T) {
	sc := newScene(t)
	unlocked := with(func(s *steps) { s.lock = func(int) error { return unix.ENOLCK } })
	left := label{next, "f", markOf([]byte("old")), markOf([]byte("next"))}.newName()
	put(t, sc.path, "next", 0o600)
	put(t, filepath.Join(sc.dir.Name(), left), "save", 0o600)
	if did, err := unlocked.recoverAt(sc.dir); did || err != nil {
		t.Errorf("%v, %v", did, err)
	}
	if err := unlocked.replaceAt(sc.dir, "f", []byte("next"), []byte("next"), Options{}); err != nil {
		t.Error(err)
	}
	if n := names(t, sc.dir.Name()); len(n) != 2 {
		t.Errorf("directory holds %q", n)
	}
	later(&unlocked, abandonedAfter)
	if did, err := unlocked.recoverAt(sc.dir); !did || err != nil {
		t.Errorf("%v, %v", did, err)
	}
	sc.want(story{}, "save")
}

func TestLockThatFailsChangesNothing(t *testing.T) {
	sc := newScene(t)
	sc.set("old")
	s := with(func(s *steps) { s.lock = func(int) error { return unix.EIO } })
	if err := s.replaceAt(sc.dir, "f", []byte("old"), []byte("next"), Options{}); !errors.Is(err, unix.EIO) {
		t.Errorf("err = %v", err)
	}
	sc.want(story{}, "old")
}

// What cannot be read is in doubt, and doubt changes nothing.
func TestRecoverInDoubt(t *testing.T) {
	sc := newScene(t)
	left := label{next, "f", markOf([]byte("old")), markOf([]byte("next"))}.newName()
	for _, unreadable := range []string{"f", left} {
		sc.set("newer")
		put(t, filepath.Join(sc.dir.Name(), left), "save", 0o600)
		s := with(func(s *steps) {
			s.open = func(d int, n string, flags int, perm uint32) (int, error) {
				if n == unreadable {
					return -1, unix.EIO
				}
				return system.open(d, n, flags, perm)
			}
		})
		if did, err := s.recoverAt(sc.dir); did || !errors.Is(err, unix.EIO) {
			t.Errorf("%v, %v", did, err)
		}
		if n := names(t, sc.dir.Name()); len(n) != 2 {
			t.Errorf("directory holds %q", n)
		}
	}
}
