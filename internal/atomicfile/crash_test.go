package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A write in these tests is a sequence of steps. A crash before step k is a
// process for which, from k on, no call has an effect: on disk there is no
// difference. Saves of an editor land before the steps that they are given.

var errDead = errors.New("the process is dead")

// hooked runs before ahead of every step; its error is the step's, which has
// no effect then. Nothing reaches the disk's cache, so that thousands of
// crashes take a second.
func hooked(s steps, before func(call string) error) steps {
	h := s
	h.open = func(d int, n string, flags int, perm uint32) (int, error) {
		if err := before("open " + n); err != nil {
			return -1, err
		}
		return s.open(d, n, flags, perm)
	}
	h.write = func(f *os.File, c []byte) error { return first(before("write"), func() error { return s.write(f, c) }) }
	h.chown = func(f *os.File, u, g int) error {
		return first(before("chown"), func() error { return s.chown(f, u, g) })
	}
	h.chmod = func(f *os.File, m uint32) error { return first(before("chmod"), func() error { return s.chmod(f, m) }) }
	h.sync = func(*os.File) error { return before("sync") }
	h.link = func(f *os.File, d int, n string) error {
		return first(before("link"), func() error { return s.link(f, d, n) })
	}
	h.exchange = func(d int, a, b string) error {
		return first(before("exchange"), func() error { return s.exchange(d, a, b) })
	}
	h.noReplace = func(d int, a string, e int, b string) error {
		return first(before("noReplace"), func() error { return s.noReplace(d, a, e, b) })
	}
	h.rename = func(d int, a, b string) error {
		return first(before("rename"), func() error { return s.rename(d, a, b) })
	}
	h.unlink = func(d int, n string) error { return first(before("unlink"), func() error { return s.unlink(d, n) }) }
	return h
}

func first(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

// story is one run: which step is the last, and what is saved before which.
type story struct {
	crash int // before this step; 0: none
	saves []int
	fault int // this step fails once, with err
	err   error
}

func (st story) String() string {
	return fmt.Sprintf("crash %d saves %v fault %d", st.crash, st.saves, st.fault)
}

// tell hooks a story into the steps. n counts them.
func (st story) tell(s steps, n *int, save func(content string)) steps {
	return hooked(s, func(string) error {
		*n++
		for i, at := range st.saves {
			if at == *n {
				save(fmt.Sprintf("save %d", i+1))
			}
		}
		switch {
		case st.crash > 0 && *n >= st.crash:
			return errDead
		case *n == st.fault:
			return st.err
		}
		return nil
	})
}

// act is a write with what is there before and after it; "" is absence.
type act struct {
	name          string
	before, after string
	do            func(s steps, dir *os.File) error
}

var acts = []act{
	{"replace", "old", "next", func(s steps, dir *os.File) error {
		return s.replaceAt(dir, "f", []byte("old"), []byte("next"), Options{})
	}},
	{"new", "", "next", func(s steps, dir *os.File) error { return s.writeNewAt(dir, "f", []byte("next"), Options{}) }},
	{"remove", "old", "", func(s steps, dir *os.File) error { return s.removeAt(dir, "f", []byte("old")) }},
}

// editors save in two ways: a whole new file, or into the one that is there.
var editors = map[string]func(path, content string){
	"renames": func(path, content string) {
		_ = os.WriteFile(path+"~", []byte(content), 0o600)
		_ = os.Rename(path+"~", path)
	},
	"overwrites": func(path, content string) { _ = os.WriteFile(path, []byte(content), 0o600) },
}

// scene is an empty directory for many runs, in memory where there is such.
type scene struct {
	t    *testing.T
	dir  *os.File
	path string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	path, err := os.MkdirTemp("/dev/shm", "atomicfile")
	if err != nil {
		path = t.TempDir()
	}
	dir, err := openDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		dir.Close()
		os.RemoveAll(path)
	})
	return &scene{t, dir, filepath.Join(dir.Name(), "f")}
}

func (sc *scene) set(content string) {
	sc.t.Helper()
	for _, n := range names(sc.t, sc.dir.Name()) {
		if err := os.Remove(filepath.Join(sc.dir.Name(), n)); err != nil {
			sc.t.Fatal(err)
		}
	}
	if content != "" {
		put(sc.t, sc.path, content, 0o600)
	}
}

// want one of the contents, and nothing else in the directory.
func (sc *scene) want(what fmt.Stringer, contents ...string) {
	sc.t.Helper()
	got, err := os.ReadFile(sc.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		sc.t.Fatal(err)
	}
	if !slices.Contains(contents, string(got)) {
		sc.t.Errorf("%v: holds %q, want %q", what, got, contents)
	}
	if n := names(sc.t, sc.dir.Name()); len(n) > 1 || len(n) == 1 && n[0] != "f" {
		sc.t.Errorf("%v: left %q", what, n)
	}
}

// recover must succeed, and find nothing when called again.
func (sc *scene) recover(what fmt.Stringer) {
	sc.t.Helper()
	if _, err := RecoverAt(sc.dir); err != nil {
		sc.t.Errorf("%v: recover: %v", what, err)
	}
	if again, err := RecoverAt(sc.dir); again || err != nil {
		sc.t.Errorf("%v: a second recover: %v, %v", what, again, err)
	}
}

// length is the number of steps of an act as it goes well.
func (sc *scene) length(a act, s steps) int {
	sc.t.Helper()
	n := 0
	sc.set(a.before)
	if err := a.do(story{}.tell(s, &n, nil), sc.dir); err != nil {
		sc.t.Fatal(err)
	}
	return n
}

func everyAct(t *testing.T, f func(t *testing.T, sc *scene, a act, s steps)) {
	for _, a := range acts {
		t.Run(a.name, func(t *testing.T) {
			everySteps(t, func(t *testing.T, s steps) { f(t, newScene(t), a, s) })
		})
	}
}

func TestCrashAtEveryStep(t *testing.T) {
	everyAct(t, func(t *testing.T, sc *scene, a act, s steps) {
		for crash := range sc.length(a, s) + 1 {
			st, n := story{crash: crash + 1}, 0
			sc.set(a.before)
			err := a.do(st.tell(s, &n, nil), sc.dir)
			if got := string(contentOf(sc.path)); got != a.before && got != a.after {
				t.Errorf("%v: a reader sees %q", st, got)
			}
			sc.recover(st)
			sc.want(st, a.before, a.after)
			if err == nil {
				sc.want(st, a.after)
			}
		}
	})
}

func contentOf(path string) []byte {
	b, _ := os.ReadFile(path)
	return b
}

// A writer that comes after the crash, without a Recover, finds the same.
func TestNextWriterRecoversFirst(t *testing.T) {
	sc := newScene(t)
	for crash := range 40 {
		for at := range crash {
			st, n := story{crash: crash + 1, saves: []int{at + 1}}, 0
			sc.set("old")
			_ = acts[0].do(st.tell(system, &n, func(c string) { editors["renames"](sc.path, c) }), sc.dir)
			if n <= at {
				continue
			}
			err := ReplaceAt(sc.dir, "f", []byte("save 1"), []byte("newer"), Options{})
			if err != nil {
				t.Errorf("%v: %v", st, err)
			}
			sc.want(st, "newer")
		}
	}
}

// The last save always survives a crash before any step, and the recovery
// that crashes too.
func TestSavesAndCrash(t *testing.T) {
	for name, save := range editors {
		t.Run(name, func(t *testing.T) {
			everyAct(t, func(t *testing.T, sc *scene, a act, s steps) {
				if a.name == "replace" && strings.HasSuffix(t.Name(), "/plain") {
					t.Skip("cannot be guarded without an exchange")
				}
				sc.everySave(a, s, func(c string) { save(sc.path, c) })
			})
		})
	}
}

// everySave enumerates up to three saves before or at each crash.
func (sc *scene) everySave(a act, s steps, save func(string)) {
	sc.t.Helper()
	most := sc.length(a, s) + 8 // putting back takes more
	for crash := 1; crash <= most; crash++ {
		for i := 1; i <= crash; i++ {
			sc.saveAndCrash(a, s, save, story{crash: crash, saves: []int{i}})
			for j := i; j <= crash; j++ {
				sc.saveAndCrash(a, s, save, story{crash: crash, saves: []int{i, j}})
				if !testing.Short() && (i+j+crash)%3 == 0 {
					sc.saveAndCrash(a, s, save, story{crash: crash, saves: []int{i, j, (j + crash + 1) / 2}})
				}
			}
		}
	}
}

func (sc *scene) saveAndCrash(a act, s steps, save func(string), st story) {
	sc.t.Helper()
	sc.set(a.before)
	n, last := 0, ""
	_ = a.do(st.tell(s, &n, func(c string) { save(c); last = c }), sc.dir)
	m := 0
	_, _ = story{crash: st.crash % 7}.tell(s, &m, nil).recoverAt(sc.dir)
	sc.recover(st)
	if last == "" {
		sc.want(st, a.before, a.after)
		return
	}
	sc.want(st, last)
}

// A save while a crash is recovered from.
func TestSavesDuringRecovery(t *testing.T) {
	sc := newScene(t)
	save := editors["renames"]
	for crash := range 30 {
		for early := range crash {
			for late := range 12 {
				st := story{crash: crash + 1, saves: []int{early + 1}}
				sc.set("old")
				n, last := 0, ""
				_ = acts[0].do(st.tell(system, &n, func(c string) { save(sc.path, c); last = c }), sc.dir)
				m := 0
				_, _ = story{saves: []int{late + 1}}.tell(system, &m, func(string) { last = "late"; save(sc.path, last) }).recoverAt(sc.dir)
				sc.recover(st)
				if last == "" {
					sc.want(st, "old", "next")
				} else {
					sc.want(st, last)
				}
			}
		}
	}
}

// Each step fails once: an error leaves what was there and nothing else, but
// for a failed sync at the end.
func TestEveryStepFailsOnce(t *testing.T) {
	everyAct(t, func(t *testing.T, sc *scene, a act, s steps) {
		for _, errno := range faults {
			for fault := range sc.length(a, s) {
				st, n := story{fault: fault + 1, err: errno}, 0
				sc.set(a.before)
				err := a.do(st.tell(s, &n, nil), sc.dir)
				switch {
				case err == nil || errors.Is(err, ErrNotSynced):
					sc.want(st, a.after)
				case !errors.Is(err, errno):
					t.Errorf("%v: %v", st, err)
				default:
					sc.want(st, a.before)
				}
				if n := names(t, sc.dir.Name()); len(n) > 1 {
					t.Errorf("%v: left %q", st, n)
				}
			}
		}
	})
}

// A call that is carried out and fails all the same, as over a network, is no
// failure.
func TestEveryStepSucceedsAndFails(t *testing.T) {
	everyAct(t, func(t *testing.T, sc *scene, a act, s steps) {
		for fault := range sc.length(a, s) {
			st, n := story{fault: fault + 1}, 0
			sc.set(a.before)
			lie := func(err error) error {
				if n++; err == nil && n == st.fault {
					return unix.EIO
				}
				return err
			}
			l := hooked(s, func(string) error { return nil })
			l.link = func(f *os.File, d int, n string) error { return lie(s.link(f, d, n)) }
			l.exchange = func(d int, a, b string) error { return lie(s.exchange(d, a, b)) }
			l.noReplace = func(d int, a string, e int, b string) error { return lie(s.noReplace(d, a, e, b)) }
			l.rename = func(d int, a, b string) error { return lie(s.rename(d, a, b)) }
			l.unlink = func(d int, n string) error { return lie(s.unlink(d, n)) }
			if err := a.do(l, sc.dir); err != nil {
				t.Errorf("%v: %v", st, err)
			}
			sc.want(st, a.after)
		}
	})
}

// A removal of which nothing can be unlinked leaves the file as it was.
func TestRemoveThatCannotUnlink(t *testing.T) {
	everySteps(t, func(t *testing.T, s steps) {
		sc := newScene(t)
		sc.set("old")
		stuck := s
		stuck.unlink = func(int, string) error { return unix.EIO }
		if err := stuck.removeAt(sc.dir, "f", []byte("old")); !errors.Is(err, unix.EIO) {
			t.Errorf("err = %v", err)
		}
		if got := string(contentOf(sc.path)); got != "old" {
			t.Errorf("holds %q", got)
		}
		sc.recover(story{})
		sc.want(story{}, "old")
	})
}

// The same beside an editor.
func TestSaveAndFault(t *testing.T) {
	for name, save := range editors {
		t.Run(name, func(t *testing.T) {
			for _, a := range acts {
				sc := newScene(t)
				for fault := range 24 {
					for at := range 24 {
						st, n, last := story{fault: fault + 1, err: faults[0], saves: []int{at + 1}}, 0, ""
						sc.set(a.before)
						_ = a.do(st.tell(system, &n, func(c string) { save(sc.path, c); last = c }), sc.dir)
						if last == "" {
							sc.want(st, a.before, a.after)
						} else {
							sc.want(st, last)
						}
					}
				}
			}
		})
	}
}
