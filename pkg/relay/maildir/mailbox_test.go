package maildir

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

const (
	boxA = agent.Subject("relay.agent.a.01A")
	boxB = agent.Subject("relay.agent.b.01A")
)

var at = time.Date(2026, 11, 24, 23, 30, 0, 0, time.UTC)

func TestModes(t *testing.T) {
	h := newHome(t)
	h.must(os.MkdirAll(h.box(boxB)+"/new", 0o755))
	h.must(h.EnsureEndpoint(t.Context(), boxA))
	h.must(h.EnsureEndpoint(t.Context(), boxB))
	for path, want := range map[string]os.FileMode{
		h.mailboxes: 0o755, h.box(boxA): 0o700, h.box(boxA) + "/new": 0o700,
		h.box(boxB): 0o755, h.box(boxB) + "/new": 0o755, h.box(boxB) + "/cur": 0o700,
	} {
		fi, err := os.Stat(path)
		if err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, fi.Mode(), err, want)
		}
	}
}

// Everything in a mailbox follows, whatever it is, and nothing is overwritten.
func TestAllOfAMailboxFollows(t *testing.T) {
	for _, nextStands := range []bool{false, true} {
		t.Run(fmt.Sprint(nextStands), func(t *testing.T) {
			h := newHome(t)
			h.must(h.EnsureEndpoint(t.Context(), boxA))
			files := map[string]string{
				"tmp/begun": "t", "new/1.json": "n", "cur/2.json": "c", "failed/3.json": "f",
				"failed/3.reason.json": "r", ".owner": "o", "odd/deep/file": "d",
			}
			h.must(os.MkdirAll(h.box(boxA)+"/odd/deep", 0o700))
			for name, content := range files {
				h.must(os.WriteFile(filepath.Join(h.box(boxA), name), []byte(content), 0o600))
			}
			if nextStands {
				h.must(h.EnsureEndpoint(t.Context(), boxB))
				h.must(os.WriteFile(h.box(boxB)+"/new/1.json", []byte("n"), 0o600))
				h.must(os.WriteFile(h.box(boxB)+"/.owner", []byte("other"), 0o600))
				files["new/1-2.json"] = "n"
				files[".owner-2"], files[".owner"] = "o", "other"
			}
			h.must(h.Readdress(t.Context(), boxA, boxB))
			if diff := cmp.Diff(files, h.letters(h.box(boxB))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if exists(h.box(boxA)) {
				t.Error("the old mailbox stands")
			}
		})
	}
}

// Letters that land while a mailbox moves or goes end up somewhere, always.
func TestLettersThatLandMeanwhile(t *testing.T) {
	for _, step := range []string{"readdress", "retire"} {
		t.Run(step, func(t *testing.T) {
			h := newHome(t)
			sent := 0
			for range 20 {
				h.must(h.EnsureEndpoint(t.Context(), boxA))
				h.must(h.EnsureEndpoint(t.Context(), boxB))
				stop := make(chan struct{})
				var wg sync.WaitGroup
				wg.Go(func() { sent = h.sendUntil(stop, sent) })
				time.Sleep(time.Millisecond) // let some land before
				var err error
				if step == "readdress" {
					err = h.Readdress(t.Context(), boxA, boxB)
				} else {
					err = h.Retire(t.Context(), boxA, at)
				}
				close(stop)
				wg.Wait()
				h.must(err)
			}
			if got := len(h.letters(h.dir)); got != sent || sent == 0 {
				t.Errorf("%d letters of %d are left", got, sent)
			}
		})
	}
}

// sendUntil delivers letters to boxA for as long as it stands and counts what
// was accepted. A sender whose rename fails knows that his letter was not.
func (h *home) sendUntil(stop chan struct{}, sent int) int {
	for {
		select {
		case <-stop:
			return sent
		default:
		}
		name := fmt.Sprintf("%06d.json", sent)
		tmp := h.box(boxA) + "/tmp/" + name
		if os.WriteFile(tmp, []byte("x"), 0o600) != nil {
			continue
		}
		_ = os.Rename(tmp, h.box(boxA)+"/new/"+name)
		sent++ // begun letters count too: they are mail
	}
}

func TestKeptNames(t *testing.T) {
	h := newHome(t)
	for range 2 {
		h.must(h.EnsureEndpoint(t.Context(), boxA))
		h.deliver(boxA, "1.json", "x")
		h.must(h.Retire(t.Context(), boxA, at))
	}
	want := map[string]string{
		"relay.agent.a.01A.20261124T233000.000Z/new/1.json":   "x",
		"relay.agent.a.01A.20261124T233000.000Z-2/new/1.json": "x",
	}
	if diff := cmp.Diff(want, h.letters(h.removed)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]agent.ID{
		"relay.agent.a.01A.20261124T233000.000Z":    "01A",
		"relay.agent.a.01A.20261124T233000.000Z-12": "01A",
		"relay.agent.a.01A":                         "",
		"relay.agent.a.01A.yesterday":               "",
		"relay.agent.a.01A.20261124T233000.000":     "",
		"relay.agent.a.01A.20261124T233000.000Z-":   "",
		"relay.agent.a.01A.20261124T233000.000Z-1x": "",
		"relay.agent.a.01A.20261124T233000.000Z2":   "",
		"relay.agent.a.01A.2026112aT233000.000Z":    "",
		"relay.agent.a.01A.20261124T233000:000Z":    "",
		"relay.inbox.01A.20261124T233000.000Z":      "",
	} {
		if id, _, ok := kept(name); ok != (want != "") || ok && id != want {
			t.Errorf("kept(%s) = %s, %t", name, id, ok)
		}
	}
}

// What is not a mailbox of ours is not listed, and not in the way of anybody
// but its namesake.
func TestForeignFolders(t *testing.T) {
	h := newHome(t)
	for _, name := range []string{"0cb9754fcb9c", "relay.inbox.helpdesk", "relay.agent.codex.x", "relay.agent.a.b.c", "relay.agent.A.x", "junkdir"} {
		h.must(os.MkdirAll(h.mailboxes+"/"+name+"/new", 0o700))
	}
	h.must(os.WriteFile(h.box(boxA), nil, 0o600))
	h.must(os.Symlink("junkdir", h.box(boxB)))
	for range 2 {
		l, changed, err := h.List(t.Context())
		if err != nil || len(l.Endpoints) > 0 || len(changed) > 0 {
			t.Errorf("listed %v, changed %v, %v", l.Endpoints, changed, err)
		}
	}
	for _, s := range []agent.Subject{boxA, boxB} {
		if err := h.EnsureEndpoint(t.Context(), s); !errors.Is(err, errInTheWay) {
			t.Errorf("%s: err = %v", s, err)
		}
		h.must(h.Retire(t.Context(), s, at))
	}
	h.must(h.EnsureEndpoint(t.Context(), "relay.agent.c.01C"))
}

// A name that the rules of a namespace match keeps them, agent's or not.
func TestOccupiedByAnybody(t *testing.T) {
	h := newHome(t)
	h.must(os.MkdirAll(h.mailboxes+"/relay.agent.a."+strings.Repeat("x", 70), 0o700))
	h.must(os.MkdirAll(h.mailboxes+"/relay.agent.b.x.y", 0o700))
	for ns, want := range map[string]bool{"a": true, "b": false} {
		if got, err := h.Occupied(t.Context(), ns); err != nil || got != want {
			t.Errorf("Occupied(%s) = %t, %v", ns, got, err)
		}
	}
}

func TestMailboxesIsNoDirectory(t *testing.T) {
	h := newHome(t)
	h.must(os.MkdirAll(h.dir, 0o700))
	h.must(os.WriteFile(h.mailboxes, nil, 0o600))
	_, _, errList := h.List(t.Context())
	_, errOccupied := h.Occupied(t.Context(), "a")
	_, errEndpoints := h.Endpoints(t.Context(), []agent.Subject{boxA})
	for i, err := range []error{errList, errOccupied, errEndpoints, h.EnsureEndpoint(t.Context(), boxA), h.Retire(t.Context(), boxA, at)} {
		if !errors.Is(err, unix.ENOTDIR) {
			t.Errorf("call %d: err = %v, want ENOTDIR", i, err)
		}
	}
}

// An error half-way through a listing must not eat a change.
func TestFailedListForgetsNothing(t *testing.T) {
	h := newHome(t)
	h.must(h.EnsureEndpoint(t.Context(), boxA))
	_, _, err := h.List(t.Context())
	h.must(err)
	h.must(os.Rename(h.mailboxes, h.mailboxes+"~"))
	h.must(os.WriteFile(h.mailboxes, nil, 0o600))
	if _, _, err := h.List(t.Context()); err == nil {
		t.Fatal("no error")
	}
	h.must(os.Remove(h.mailboxes))
	_, changed, err := h.List(t.Context())
	if diff := cmp.Diff([]agent.ID{"01A"}, changed); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// A part that goes within the youth of a stamp is seen by the next List, one
// that goes later when it is the mailbox's turn at the latest.
func TestWholenessIsSeen(t *testing.T) {
	h := newHome(t)
	clock := time.Now()
	h.now = func() time.Time { return clock }
	h.must(h.EnsureEndpoint(t.Context(), boxA))
	for _, within := range []int{1, lookPasses} {
		for range 2 { // the second look trusts the first, if it may
			h.list()
		}
		for _, whole := range []bool{false, true} {
			from, to := "/cur", "/curl" // the link count stays
			if whole {
				from, to = to, from
			}
			h.must(os.Rename(h.box(boxA)+from, h.box(boxA)+to))
			if e, err := h.Endpoints(t.Context(), []agent.Subject{boxA}); err != nil || len(e) != 1 || e[0].Whole != whole {
				t.Errorf("whole is %v, told at once is %+v, %v", whole, e, err)
			}
			var changed []agent.ID
			for range within {
				l, c := h.list()
				changed = append(changed, c...)
				if len(c) > 0 && l.Endpoints.Of("01A")[0].Whole != whole {
					t.Errorf("%+v", l.Endpoints)
				}
			}
			if len(changed) != 1 {
				t.Errorf("within %d: changed %v", within, changed)
			}
		}
		clock = clock.Add(time.Hour)
	}
}

// A relay that was warmed lists what stands when it lists, and reports everybody
// once.
func TestWarm(t *testing.T) {
	h := newHome(t)
	stands := func(s agent.Subject) {
		for _, p := range parts {
			h.must(os.MkdirAll(h.box(s)+"/"+p, 0o700))
		}
	}
	stands("relay.agent.a.01STAYS")
	stands("relay.agent.a.01GOES")
	h.Warm(t.Context())
	h.must(os.RemoveAll(h.box("relay.agent.a.01GOES")))
	stands("relay.agent.a.01COMES")
	h.must(h.EnsureEndpoint(t.Context(), "relay.agent.a.01MADE"))
	all := []agent.ID{"01COMES", "01MADE", "01STAYS"}
	for _, want := range [][]agent.ID{all, nil} {
		l, changed := h.list()
		var listed []agent.ID
		for id, e := range l.Endpoints.ByID() {
			if listed = append(listed, id); !e[0].Whole {
				t.Errorf("%s is not whole", id)
			}
		}
		if !slices.Equal(listed, all) || !slices.Equal(changed, want) {
			t.Errorf("listed %v, changed %v, want %v", listed, changed, want)
		}
		h.Warm(t.Context()) // no more than nothing
	}
}

// list is a List that must not fail.
func (h *home) list() (*agent.RelayListing, []agent.ID) {
	h.t.Helper()
	l, changed, err := h.List(h.t.Context())
	h.must(err)
	return l, changed
}

// settled makes every stamp old enough to be trusted and is n mailboxes that
// were listed.
func (h *home) settled(n int) {
	h.t.Helper()
	h.now = func() time.Time { return time.Now().Add(time.Hour) }
	for i := range n {
		h.must(h.EnsureEndpoint(h.t.Context(), subject(i)))
	}
	h.list()
}

// Names that come and go are seen by the next List, in whatever order the
// directory has them, and so is another mailbox under the same name.
func TestNamesAreSeenAtOnce(t *testing.T) {
	h := newHome(t)
	h.settled(50)
	r := rand.New(rand.NewPCG(1, 2))
	for step := range 300 {
		s := subject(r.IntN(100))
		_, id, _ := agent.ParseSubject(string(s))
		var want []agent.ID
		switch {
		case r.IntN(3) == 0: // nothing
		case !exists(h.box(s)):
			h.must(os.MkdirAll(h.box(s)+"/new", 0o700))
			want = append(want, id)
		case r.IntN(2) == 0:
			h.must(os.RemoveAll(h.box(s)))
			want = append(want, id)
		case r.IntN(2) == 0:
			h.must(h.Retire(t.Context(), s, at))
			h.must(h.EnsureEndpoint(t.Context(), s))
		default:
			h.must(os.Rename(h.box(s), h.dir+"/elsewhere"))
			h.must(os.MkdirAll(h.box(s)+"/new", 0o700))
			h.must(os.RemoveAll(h.dir + "/elsewhere"))
			if h.boxes.all[h.boxes.find(string(s))].state != halfBox {
				want = append(want, id)
			}
		}
		l, changed := h.list()
		if diff := cmp.Diff(want, changed); diff != "" {
			t.Fatalf("step %d, %s (-want +got):\n%s", step, s, diff)
		}
		names, err := os.ReadDir(h.mailboxes)
		h.must(err)
		if len(l.Endpoints) != len(names) {
			t.Fatalf("step %d: %d endpoints of %d", step, len(l.Endpoints), len(names))
		}
	}
}

// A quiet List asks for next to nothing: that is what makes it cheap.
func TestQuietListAllocatesNothing(t *testing.T) {
	h := newHome(t)
	h.settled(600)
	n := testing.AllocsPerRun(2*lookPasses, func() {
		if _, changed := h.list(); len(changed) > 0 {
			t.Error(changed)
		}
	})
	if n > 20 {
		t.Errorf("%v allocations for 600 mailboxes", n)
	}
}

// An equal stamp proves nothing while it is young: the change may have raced
// with the look that took it.
func TestYoungStampsAreNotTrusted(t *testing.T) {
	h := newHome(t)
	h.must(h.EnsureEndpoint(t.Context(), boxA))
	h.setText("[" + allowA + "," + denyA + "]")
	_, _, err := h.List(t.Context())
	h.must(err)
	h.must(os.Remove(h.box(boxA) + "/cur"))
	h.setText("[]")
	var rules unix.Stat_t
	h.must(unix.Lstat(h.rulesPath(), &rules))
	h.rules.stamp = stampOf(&rules)
	if h.boxes.all[h.boxes.find(string(boxA))].sum != 0 {
		t.Error("a young stamp was kept")
	}
	l, changed, err := h.List(t.Context())
	h.must(err)
	if len(changed) != 1 || l.Endpoints.Of("01A")[0].Whole || l.Rules["a"].Any() {
		t.Errorf("changed %v, listing %+v", changed, l)
	}
}

// A symbolic link or a directory in place of the rules is never written through.
func TestRulesFileIsNoFile(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"link":      func(p string) error { return os.Symlink("elsewhere.json", p) },
		"directory": func(p string) error { return os.Mkdir(p, 0o700) },
		"FIFO":      func(p string) error { return unix.Mkfifo(p, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t)
			h.must(os.MkdirAll(h.dir, 0o700))
			h.must(os.WriteFile(h.dir+"/elsewhere.json", []byte("[]"), 0o600))
			h.must(make(h.rulesPath()))
			l, _, err := h.List(t.Context())
			if err != nil || l.Degraded == "" {
				t.Errorf("degraded %q, %v", l.Degraded, err)
			}
			if err := h.EnsureRules(t.Context(), []relay.Rules{{Namespace: "a"}}); !errors.Is(err, agent.ErrDegraded) {
				t.Errorf("err = %v", err)
			}
		})
	}
}
