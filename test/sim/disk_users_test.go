package sim

import (
	"path"
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// What users do to directories. What cannot be done is not done: a script
// stays a script when lines are taken out of it.

// subtree lists a directory and what lies below it in the same volume, the
// uppermost first.
func (d *disk) subtree(p string) (m mount, rels []string) {
	m, _, rel := d.at(p)
	for q := range m.v.nodes {
		if q == rel || rel == "" || strings.HasPrefix(q, rel+"/") {
			rels = append(rels, q)
		}
	}
	slices.Sort(rels)
	return m, rels
}

// hasMounts reports whether something is mounted at a path or below it.
func (d *disk) hasMounts(p string) bool {
	for point := range d.mounts {
		if agent.Within(point, p) {
			return true
		}
	}
	return false
}

func (d *disk) movable(from, to string) bool {
	return d.dir(from) != nil && d.dir(to) == nil && !d.hasMounts(from) && !agent.Within(to, from)
}

// move keeps what the directory is on one volume, and copies across volumes.
func (d *disk) move(from, to string) {
	if !d.movable(from, to) {
		return
	}
	a, _, relA := d.at(from)
	if b, _, _ := d.at(to); a.v != b.v {
		d.copy(from, to)
		d.remove(from)
		return
	}
	d.make(path.Dir(to))
	_, rels := d.subtree(from)
	_, _, relB := d.at(to)
	for _, rel := range rels {
		a.v.nodes[relB+strings.TrimPrefix(rel, relA)] = a.v.nodes[rel]
		delete(a.v.nodes, rel)
	}
	d.version++
}

func (d *disk) copy(from, to string) {
	if d.dir(from) == nil || d.dir(to) != nil || agent.Within(to, from) {
		return
	}
	d.make(path.Dir(to))
	a, rels := d.subtree(from)
	_, _, relA := d.at(from)
	b, _, relB := d.at(to)
	for _, rel := range rels {
		n := b.v.node()
		n.file, n.worktree = a.v.nodes[rel].file, a.v.nodes[rel].worktree
		b.v.nodes[relB+strings.TrimPrefix(rel, relA)] = n
	}
	d.version++
}

func (d *disk) remove(p string) {
	if d.dir(p) == nil || d.hasMounts(p) {
		return
	}
	m, rels := d.subtree(p)
	for _, rel := range rels {
		delete(m.v.nodes, rel)
	}
	d.version++
}

func (d *disk) removeFile(p string) {
	if n := d.dir(p); n != nil && n.file != nil {
		n.file = nil
		d.version++
	}
}

// swap exchanges two directories of one volume.
func (d *disk) swap(a, b string) {
	const aside = "/swapping"
	if d.dir(a) == nil || d.dir(b) == nil || agent.Within(a, b) || agent.Within(b, a) || d.hasMounts(a) || d.hasMounts(b) {
		return
	}
	d.move(a, aside)
	d.move(b, a)
	d.move(aside, b)
}

// unplug takes away whatever is mounted at a point; the mount point stays, or
// goes with it as an automounter's does.
func (d *disk) unplug(point string, pointToo bool) {
	if len(d.mounts[point]) == 0 || point == "/" {
		return
	}
	for len(d.mounts[point]) > 0 {
		d.unmount(point)
	}
	if pointToo {
		d.remove(point)
	}
}

// plug mounts a volume, over whatever is there.
func (d *disk) plug(point, name string) {
	if m, _, _ := d.at(point); point == "/" || m.v.name == name {
		return
	}
	d.make(point)
	d.mount(point, mount{v: d.volume(name)})
}

// bind shows a directory at a second place.
func (d *disk) bind(from, point string) {
	if d.dir(from) == nil || d.dir(point) != nil || d.hasMounts(from) || agent.Within(point, from) || from == "/" {
		return
	}
	m, _, rel := d.at(from)
	d.make(point)
	d.mount(point, mount{v: m.v, root: rel})
}
