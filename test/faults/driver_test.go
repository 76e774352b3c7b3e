//go:build faults && linux

package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
)

// driver changes everything at once: editors that save, move, copy and delete,
// and orders over the socket. It remembers of every agent what must be so.
type driver struct {
	w     *world
	d     *daemon
	slots []*slot
	ops   []operation
	// pause is the mean time between two operations of one hand.
	pause  time.Duration
	done   atomic.Int64 // operations
	acked  atomic.Int64 // orders that were carried out
	serial atomic.Int64
	gone   sync.Map // ids whose unregistration was acknowledged
	// behind is where editors find a path that has faults; nil for the path.
	behind func(path string) string
	// dark: the power is about to fail, or has. Whoever answers now would not have
	// been there to answer.
	dark atomic.Bool
	// lives: the daemon is not killed, so that whoever is unsure may look at once.
	lives bool
}

// slot is one agent, driven by one hand at a time.
type slot struct {
	id   string // "" where a registration was not answered
	path string
	copy string // of a second place with the id; "" for none
	// said is what the manifest has to say, maybe what it may say as well: of an
	// order that was not answered.
	said  string
	maybe []string
	// here: the manifest is there. unsure: or it is not.
	here, unsure bool
	garbage      bool // it is no manifest at the moment
}

type operation func(v *driver, s *slot) error

// Operations. An error is that of an editor; its slot is unsure then.
var (
	editing = []operation{(*driver).edit, (*driver).edit, (*driver).edit}
	moving  = []operation{(*driver).move, (*driver).copies, (*driver).deletes}
	orders  = []operation{(*driver).update, (*driver).update, (*driver).unregister}
)

func newDriver(w *world, d *daemon, n int, pause time.Duration, ops ...[]operation) *driver {
	v := &driver{w: w, d: d, pause: pause, ops: slices.Concat(ops...)}
	for i := range n {
		s := &slot{id: agentID(i), path: w.project(fmt.Sprintf("g%d/p%03d", i%10, i)), said: "begin", here: true}
		w.must(save(s.path, manifestText(s.id, s.id, s.said)))
		v.slots = append(v.slots, s)
	}
	return v
}

// hands drive until told to stop; stop returns when all have let go.
func (v *driver) drive(hands int) (stop func()) {
	end := make(chan struct{})
	var all sync.WaitGroup
	for h := range hands {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(h), uint64(time.Now().UnixNano())))
			for {
				i := rng.IntN((len(v.slots)+hands-1)/hands)*hands + h
				if i < len(v.slots) {
					v.once(v.slots[i], rng)
				}
				select {
				case <-end:
					return
				case <-time.After(time.Duration(rng.Int64N(2*int64(v.pause) + 1))):
				}
			}
		})
	}
	return func() { close(end); all.Wait() }
}

func (v *driver) once(s *slot, rng *rand.Rand) {
	v.done.Add(1)
	op := v.ops[rng.IntN(len(v.ops))]
	switch {
	case s.unsure && !v.lives:
		return // until it is looked at
	case s.unsure:
		if err := v.lookAt(s); err != nil {
			v.w.t.Errorf("%s: %v", s.path, err)
		}
		return
	case s.garbage:
		op = (*driver).edit
	case !s.here && s.id != "" && rng.IntN(2) == 0:
		op = (*driver).restore
	case !s.here:
		op = (*driver).register
	}
	if err := op(v, s); err != nil {
		s.unsure = true
	}
}

// at is where an editor finds a path.
func (v *driver) at(path string) string {
	if v.behind != nil {
		return v.behind(path)
	}
	return path
}

// awaitOrder waits until one more was carried out, so that what comes next comes
// in the midst of things.
func (v *driver) awaitOrder() {
	v.w.t.Helper()
	before := v.acked.Load()
	v.w.eventually(func() error {
		if v.acked.Load() == before {
			return errors.New("no order is carried out")
		}
		return nil
	})
}

// order is what the daemon answers; nobody knows what an answer in the dark is
// worth.
func (v *driver) order(method, path, body string) answer {
	a := v.d.order(method, path, body)
	if v.dark.Load() {
		return answer{http.StatusInternalServerError, a.body}
	}
	return a
}

func (v *driver) next() string { return fmt.Sprintf("said-%d", v.serial.Add(1)) }

func (v *driver) edit(s *slot) error {
	next := v.next()
	s.maybe = append(s.maybe, next)
	err := save(v.at(s.path), manifestText(s.id, s.id, next))
	if err == nil {
		s.said, s.maybe, s.garbage = next, nil, false
	}
	return err
}

func (v *driver) restore(s *slot) error {
	s.here = true
	return v.edit(s)
}

func (v *driver) move(s *slot) error {
	if s.copy != "" {
		return v.uncopy(s)
	}
	to := v.w.project(fmt.Sprintf("g%d/m%d", v.serial.Load()%10, v.serial.Add(1)))
	err := os.Rename(v.at(s.path), v.at(to))
	if err == nil {
		s.path = to
	}
	return err
}

func (v *driver) copies(s *slot) error {
	if s.copy != "" {
		return v.uncopy(s)
	}
	s.copy = v.w.project(fmt.Sprintf("g%d/c%d", v.serial.Load()%10, v.serial.Add(1)))
	return os.CopyFS(v.at(s.copy), os.DirFS(v.at(s.path)))
}

func (v *driver) uncopy(s *slot) error {
	err := os.RemoveAll(v.at(s.copy))
	s.copy = ""
	return err
}

func (v *driver) deletes(s *slot) error {
	if s.copy != "" {
		return v.uncopy(s)
	}
	s.here = false
	return os.RemoveAll(v.at(s.path))
}

func (v *driver) update(s *slot) error {
	if s.copy != "" {
		return v.uncopy(s) // it might be at home there
	}
	next := v.next()
	s.maybe = append(s.maybe, next)
	switch a := v.order(http.MethodPatch, "/v1/agents/"+s.id, fmt.Sprintf(`{"set":["description=%s"]}`, next)); a.code {
	case http.StatusOK:
		v.acked.Add(1)
		s.said, s.maybe = next, nil
	case nobody, http.StatusNotFound, http.StatusConflict:
		s.maybe = nil // refused: nothing was touched
	case http.StatusBadRequest, http.StatusUnsupportedMediaType:
		v.w.t.Errorf("update: %s", a.body)
	default:
		s.unsure = true
	}
	return nil
}

func (v *driver) unregister(s *slot) error {
	if s.copy != "" {
		return v.uncopy(s)
	}
	switch a := v.order(http.MethodDelete, "/v1/agents/"+s.id, ""); a.code {
	case http.StatusOK:
		v.acked.Add(1)
		if v.hidden(s) {
			return nil
		}
		v.gone.Store(s.id, true) // finished, or the loop finishes it by itself
		s.here, s.id = false, ""
	case nobody, http.StatusNotFound, http.StatusConflict:
	default:
		s.unsure = true
	}
	return nil
}

// hidden reports whether the manifest is still there, on the file system that
// fails: it was moved to where nothing could be read just then, not for want of
// an order. Whoever can be read again is an agent again.
func (v *driver) hidden(s *slot) bool {
	_, err := os.Stat(manifestOf(v.at(s.path)))
	return err == nil && v.at(s.path) != s.path
}

// register makes a new agent where the slot is.
func (v *driver) register(s *slot) error {
	if err := os.MkdirAll(v.at(s.path), 0o755); err != nil {
		return err
	}
	next := v.next()
	a := v.order(http.MethodPost, "/v1/agents", fmt.Sprintf(`{"path":%q,"name":"new","runtime":"codex","namespace":"team","description":%q}`, s.path, next))
	var out struct{ ID string }
	switch {
	case a.code == http.StatusCreated && json.Unmarshal([]byte(a.body), &out) == nil:
		v.acked.Add(1)
		*s = slot{id: out.ID, path: s.path, said: next, here: true}
	case a.code == nobody, a.code == http.StatusConflict:
	default:
		*s = slot{path: s.path, said: next, unsure: true}
	}
	return nil
}

// spoil lets a manifest be none, as an editor does that saves in place.
func (v *driver) spoil(s *slot) error {
	if s.copy != "" {
		return v.uncopy(s)
	}
	s.garbage = true
	return os.WriteFile(manifestOf(v.at(s.path)), []byte(`{"id":"`+s.id), 0o644)
}

// look judges every manifest: it is whole, and says what it has to.
func (v *driver) look() {
	v.w.t.Helper()
	v.lives = false
	for _, s := range v.slots {
		if s.garbage {
			v.w.must(v.edit(s))
		}
		if err := v.lookAt(s); err != nil {
			v.w.t.Errorf("%s: %v", s.path, err)
		}
	}
}

func (v *driver) lookAt(s *slot) error {
	text, err := os.ReadFile(manifestOf(v.at(s.path)))
	if errors.Is(err, fs.ErrNotExist) {
		if s.here && !s.unsure {
			return errors.New("the manifest is lost")
		}
		if !s.unsure || !v.lives {
			*s = slot{id: s.id, path: s.path, copy: s.copy}
		}
		return nil // an order that failed may have left it aside, until a full sweep
	}
	if err != nil {
		return err
	}
	var m struct{ ID, Description string }
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("no whole manifest: %w: %q", err, text)
	}
	switch {
	case !s.here && !s.unsure:
		return fmt.Errorf("a manifest is back: %s", text)
	case s.id != "" && m.ID != s.id:
		return fmt.Errorf("is %s, was %s", m.ID, s.id)
	case m.Description != s.said && !slices.Contains(s.maybe, m.Description):
		return fmt.Errorf("%s says %q; it has to say %q, or one of %q", m.ID, m.Description, s.said, s.maybe)
	}
	*s = slot{id: m.ID, path: s.path, copy: s.copy, said: m.Description, here: true}
	return nil
}

// converged judges index and relay after a sync: they say what the files do, and
// a second sync finds nothing to do.
func (v *driver) converged() {
	v.w.t.Helper()
	list := v.w.agents()
	rows := v.w.descriptions()
	left := map[string]bool{}
	for id := range list {
		left[id] = true
	}
	for _, s := range v.slots {
		a, there := list[s.id]
		delete(left, s.id)
		switch {
		case !s.here && there && a.Status != "unreachable":
			v.w.t.Errorf("%s is gone and %s", s.id, a.says())
		case !s.here:
		case !there:
			v.w.t.Errorf("%s at %s is not registered", s.id, s.path)
		case a.Status != "active" || !a.Endpoint || a.ProjectPath != s.path && a.ProjectPath != s.copy:
			v.w.t.Errorf("%s at %s (copy %q) is %s at %s, endpoint %v", s.id, s.path, s.copy, a.says(), a.ProjectPath, a.Endpoint)
		case a.ProjectPath == s.path && rows[s.id] != s.said:
			v.w.t.Errorf("the row of %s says %q, the file %q", s.id, rows[s.id], s.said)
		}
	}
	for id := range left {
		// Whoever was unregistered, and orphans of slots that went on without them.
		if list[id].Status != "unreachable" {
			v.w.t.Errorf("%s is nobody's: %+v", id, list[id])
		}
	}
	v.gone.Range(func(id, _ any) bool {
		if a, there := list[fmt.Sprint(id)]; there {
			v.w.t.Errorf("%s was unregistered, and is %s at %s", id, a.says(), a.ProjectPath)
		}
		return true
	})
	if got := v.w.cell("PRAGMA integrity_check"); got != "ok" {
		v.w.t.Errorf("integrity: %s", got)
	}
	if again := v.w.sync(); again.Counts.Queued != 0 {
		v.w.t.Errorf("a second sync found work: %+v", again)
	}
	v.w.neverRemoved()
	for _, dir := range []string{v.w.home, v.w.projects} {
		v.w.must(filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if atomicfile.IsTemp(filepath.Base(path)) {
				v.w.t.Errorf("left %s", path)
			}
			return err
		}))
	}
}
