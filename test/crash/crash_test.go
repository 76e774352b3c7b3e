//go:build crash && linux && amd64

package crash

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
)

var stride = flag.Int("stride", 1, "stop only at every n-th call")

// scenario is a command that is stopped at every call.
type scenario struct {
	name string
	// prepare makes the world in which it is run.
	prepare func(w *world)
	args    func(w *world) []string
	// between makes the one world that a kill may leave besides before and after,
	// of a command that takes several files away; nil for none.
	between func(w *world)
	// halfway: what a sync makes of the prepared world is not how it was, since
	// the command is a sync itself: only the end counts.
	halfway bool
}

var scenarios = []scenario{
	{"register", func(w *world) {
		w.must(os.MkdirAll(w.project("team/new"), 0o755))
	}, func(w *world) []string {
		return []string{"register", w.project("team/new"), "--name", "New", "--runtime", "codex", "--capability", "x"}
	}, nil, false},
	{"register-force", func(w *world) { w.manifest("team/there", "there") }, func(w *world) []string {
		return []string{"register", w.project("team/there"), "--name", "Named", "--namespace", "other", "--force"}
	}, nil, false},
	{"update", nil, func(w *world) []string {
		return []string{"update", "one", "--set", "name=Uno", "--set", "capabilities=a,b"}
	}, nil, false},
	{"update-namespace", nil, func(w *world) []string {
		return []string{"update", "one", "--set", "namespace=other"}
	}, nil, false},
	{"unregister", nil, func(w *world) []string { return []string{"unregister", "one"} }, nil, false},
	{"unregister-all-copies", func(w *world) {
		w.copyTree(w.project("team/one"), w.project("team/copy"))
	}, func(w *world) []string { return []string{"unregister", "one", "--all-copies"} }, func(w *world) {
		w.must(os.Remove(filepath.Join(w.project("team/copy"), ".dork/agent.json")))
	}, false},
	{"reissue", func(w *world) {
		w.copyTree(w.project("team/one"), w.project("team/copy"))
	}, func(w *world) []string { return []string{"reissue", w.project("team/copy")} }, nil, false},
	{"adopt", func(w *world) {
		w.copyTree(w.project("team/one"), w.project("other/copy"))
	}, func(w *world) []string { return []string{"adopt", w.project("other/copy")} }, nil, false},
	{"relocate", func(w *world) {
		w.sync()
		w.must(os.MkdirAll(w.project("other"), 0o755))
		w.must(os.Rename(w.project("team/one"), w.project("other/one")))
	}, func(w *world) []string { return []string{"sync"} }, nil, true},
	{"expire", func(w *world) {
		w.sync()
		w.must(os.RemoveAll(w.project("team/one")))
		w.flags = []string{"--orphan-grace", "0s"}
	}, func(w *world) []string { return []string{"sync"} }, nil, true},
}

// points are counted over all scenarios.
var points struct {
	sync.Mutex
	kill, fail int
}

func TestCrash(t *testing.T) {
	t.Run("all", func(t *testing.T) {
		for _, sc := range scenarios {
			t.Run(sc.name, func(t *testing.T) {
				t.Parallel()
				sc.run(t)
			})
		}
	})
	t.Logf("%d points were killed, %d calls failed", points.kill, points.fail)
	if *stride == 1 && points.kill < 150 {
		t.Errorf("only %d points: the calls are not seen", points.kill)
	}
}

// run makes the world, learns what the command does to it, and then stops the
// command everywhere.
func (sc *scenario) run(t *testing.T) {
	w := newWorld(t)
	w.manifest("team/one", "one")
	w.manifest("team/two", "two")
	w.manifest("solo", "solo")
	w.sync()
	w.mail("relay.agent.team.one")
	if sc.prepare != nil {
		sc.prepare(w)
	}
	if !sc.halfway {
		w.sync()
	}
	w.keep()

	before := ""
	if !sc.halfway {
		w.settled()
		before = w.state()
		w.reset()
	}
	peace := gated(t, fault{}, w.env(), w.argv(sc.args(w))...)
	if peace.code != 0 {
		t.Fatalf("in peace: exit %d: %s", peace.code, peace.output)
	}
	w.sync()
	w.settled()
	after := w.state()
	if before == after {
		t.Fatal("the command changes nothing")
	}
	between := after
	if sc.between != nil {
		w.reset()
		sc.between(w)
		w.sync()
		between = w.state()
	}
	for n := 1; n <= len(peace.points); n += *stride {
		sc.stop(w, fault{at: n, kill: true}, before, after, between)
		sc.stop(w, fault{at: n, errno: unix.EIO}, before, after, after)
		sc.stop(w, fault{at: n, errno: unix.ENOSPC}, before, after, after)
	}
}

// stop runs the command with one fault, then one sync, and judges.
func (sc *scenario) stop(w *world, f fault, before, after, between string) {
	w.t.Helper()
	w.reset()
	got := gated(w.t, f, w.env(), w.argv(sc.args(w))...)
	if len(got.points) < f.at {
		return // another order of events: it never came to it
	}
	count(f)
	at := fmt.Sprintf("%s at call %d, %s (exit %d)", f, f.at, got.points[f.at-1], got.code)
	w.sync()
	state := w.state()
	switch {
	case state == after, state == between:
	case state == before && (got.code != 0 || f.kill):
	default:
		w.t.Errorf("%s: neither before nor after\n%s\nthe program said: %s", at, difference(state, before, after), got.output)
		return
	}
	if !f.kill && got.code == 0 && state != after {
		w.t.Errorf("%s: it said that all is well, and it is not", at)
	}
	w.settled()
	for _, left := range w.leftovers() {
		w.t.Errorf("%s: left %s", at, left)
	}
}

func (f fault) String() string {
	if f.kill {
		return "killed"
	}
	return unix.ErrnoName(f.errno)
}

func count(f fault) {
	points.Lock()
	defer points.Unlock()
	if f.kill {
		points.kill++
	} else {
		points.fail++
	}
}

// leftovers are temporary files.
func (w *world) leftovers() (list []string) {
	w.must(filepath.WalkDir(w.dir, func(path string, _ os.DirEntry, err error) error {
		if atomicfile.IsTemp(filepath.Base(path)) || strings.HasSuffix(path, "-journal") {
			list = append(list, path)
		}
		return err
	}))
	return list
}

// difference is what of the state is neither in one nor in the other.
func difference(state, before, after string) string {
	var b strings.Builder
	for _, other := range []struct{ name, text string }{{"before", before}, {"after", after}} {
		fmt.Fprintf(&b, "against %s:\n", other.name)
		have, want := lines(state), lines(other.text)
		for l := range want {
			if !have[l] {
				fmt.Fprintf(&b, "\t-%s\n", l)
			}
		}
		for l := range have {
			if !want[l] {
				fmt.Fprintf(&b, "\t+%s\n", l)
			}
		}
	}
	return b.String()
}

func lines(text string) map[string]bool {
	set := map[string]bool{}
	for l := range strings.SplitSeq(text, "\n") {
		set[l] = true
	}
	return set
}
