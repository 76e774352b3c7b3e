package sim

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// sweepMemory is what a process keeps from one sweep to the next.
type sweepMemory struct {
	key     string // of everything that the listing depends on
	listing *agent.Listing
	serials map[string]int // by path: which writing of the manifest was seen
	known   []agent.Known
}

// Sweep looks at everything. Edits are told when the disk is free for others, and
// before the sweep has ended for whoever asked.
func (s *files) Sweep(_ context.Context, req agent.SweepRequest) (*agent.Listing, agent.Changes, error) {
	l, changes, edited, err := s.look(&req)
	for _, id := range edited {
		if req.Edited != nil {
			req.Edited(id)
		}
	}
	return l, changes, err
}

func (s *files) look(req *agent.SweepRequest) (l *agent.Listing, changes agent.Changes, edited []agent.ID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enter("files.Sweep", false); err != nil {
		return nil, agent.Changes{}, nil, err
	}
	l, changes, edited = s.sweep(req)
	s.watch.swept(l)
	return l, changes, edited, nil
}

func (s *files) sweep(req *agent.SweepRequest) (*agent.Listing, agent.Changes, []agent.ID) {
	m := &s.seen
	key := sweepKey(s.disk, req)
	if m.listing != nil && m.key == key && slices.Equal(m.known, req.Known) {
		again := *m.listing
		again.Began = req.Now
		return &again, agent.Changes{}, nil
	}
	w := walk{d: s.disk, req: req, sightings: map[string]agent.Sighting{}, serials: map[string]int{}, came: map[string]bool{}}
	l := &agent.Listing{Began: req.Now, Roots: w.roots()}
	w.strays(l, m.listing)
	var edited []agent.ID
	changes := agent.Changes{All: m.listing == nil}
	if !changes.All {
		changes, edited = compare(m, &w), w.edited(m)
	}
	if m.listing != nil && len(changes.Paths) == 0 {
		l.Sightings, l.ByID = m.listing.Sightings, m.listing.ByID
	} else {
		w.compose(l)
	}
	*m = sweepMemory{key: key, listing: l, serials: w.serials, known: slices.Clone(req.Known)}
	return l, changes, edited
}

// edited are the ids of manifests that carry the id that they carried.
func (w *walk) edited(m *sweepMemory) (ids []agent.ID) {
	for i := range m.listing.Sightings {
		was := &m.listing.Sightings[i]
		now, ok := w.sightings[was.Path]
		if ok && was.Class == agent.Present && now.Class == agent.Present && now.ID == was.ID && w.serials[was.Path] != m.serials[was.Path] {
			ids = append(ids, now.ID)
		}
	}
	return ids
}

func sweepKey(d *disk, req *agent.SweepRequest) string {
	var b strings.Builder
	b.WriteString(itoa(d.version))
	for _, list := range [][]string{req.Roots, req.Denied} {
		b.WriteString("|" + strings.Join(list, ":"))
	}
	return b.String()
}

// walk is one sweep under way.
type walk struct {
	d         *disk
	req       *agent.SweepRequest
	sightings map[string]agent.Sighting
	serials   map[string]int
	came      map[string]bool
}

func (w *walk) roots() []agent.RootReport {
	reports := make([]agent.RootReport, 0, len(w.req.Roots))
	for _, root := range w.req.Roots {
		r := agent.RootReport{Path: root, Complete: true}
		switch e := w.d.errno(root); {
		case w.denied(root):
		case e == eacces:
			r.Skipped = append(r.Skipped, root)
		case e != "":
			r.Complete, r.Lacks = false, e
		case w.d.dir(root) == nil:
			r.Gone, r.Mount = true, w.d.covering(w.d.nearest(root))
		default:
			r.Mount = w.d.covering(root)
			w.visit(&r, root)
		}
		reports = append(reports, r)
	}
	return reports
}

func (w *walk) denied(p string) bool {
	return slices.ContainsFunc(w.req.Denied, func(d string) bool { return agent.Within(p, d) })
}

func (w *walk) visit(r *agent.RootReport, p string) {
	switch e := w.d.errno(p); {
	case p != r.Path && (w.denied(p) || slices.Contains(w.req.Roots, p)):
		return
	case e == eacces:
		r.Skipped = append(r.Skipped, p)
		return
	case e != "":
		r.Complete, r.Lacks = false, e
		return
	}
	r.Directories++
	w.note(p)
	for _, name := range w.d.children(p) {
		w.visit(r, path.Join(p, name))
	}
}

// note takes down what lies in a directory that can be looked at.
func (w *walk) note(p string) {
	w.came[p] = true
	n := w.d.dir(p)
	if n == nil || n.file == nil {
		return
	}
	s := agent.Sighting{Path: p, Dir: w.d.id(p)}
	var m *agent.Manifest
	if s.Class, m, s.Problem = n.read(); m != nil {
		s.ID, s.Namespace = m.ID, m.Namespace
		s.System = m.IsSystem && agent.Within(p, managedHome)
		fields := agent.Desired(m, agent.Place{})
		s.Digest = fields.Digest()
	}
	w.sightings[p], w.serials[p] = s, n.file.serial
}

// strays looks at what is recorded, or was seen before, where no walk came by.
func (w *walk) strays(l, last *agent.Listing) {
	var paths []string
	for _, k := range w.req.Known {
		paths = append(paths, k.Path)
	}
	if last != nil {
		for i := range last.Sightings {
			if p := last.Sightings[i].Path; !l.CompleteFor(p) {
				paths = append(paths, p)
			}
		}
	}
	for _, p := range paths {
		switch e := w.d.errno(p); {
		case w.came[p] || w.denied(p):
		case e != "":
			w.came[p] = true
			w.sightings[p] = agent.Sighting{Path: p, Class: agent.Unknown, Err: e}
		default:
			w.note(p)
		}
	}
}

func (w *walk) compose(l *agent.Listing) {
	for _, p := range slices.Sorted(maps.Keys(w.sightings)) {
		l.Sightings = append(l.Sightings, w.sightings[p])
	}
	l.Index()
}

// compare tells what differs from the sweep before.
func compare(m *sweepMemory, w *walk) agent.Changes {
	var c agent.Changes
	old := map[string]agent.Sighting{}
	if m.listing != nil {
		for _, s := range m.listing.Sightings {
			old[s.Path] = s
		}
	}
	ids := map[agent.ID]bool{}
	differs := func(p string) {
		c.Paths = append(c.Paths, p)
		ids[old[p].ID], ids[w.sightings[p].ID] = true, true
	}
	for p, s := range w.sightings {
		if was, ok := old[p]; !ok || was != s || m.serials[p] != w.serials[p] {
			differs(p)
		}
	}
	for p := range old {
		if _, ok := w.sightings[p]; !ok {
			differs(p)
		}
	}
	delete(ids, "")
	c.IDs = slices.Sorted(maps.Keys(ids))
	slices.Sort(c.Paths)
	return c
}
