package sim

import (
	"bytes"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// disk is the file system: volumes, and where they are mounted.
type disk struct {
	volumes map[string]*volume
	// mounts are what lies at a mount point, the uppermost last.
	mounts map[string][]mount
	// errnos are what a look at a path, or at anything below it, fails with.
	errnos map[string]string
	// hangs are mount points that do not answer.
	hangs map[string]bool
	// version moves with everything that can be seen.
	version int
	serial  int
}

// volume is a file system; nodes are its directories by path, "" is the root.
type volume struct {
	name    string
	dev     uint64
	lastIno uint64
	nodes   map[string]*node
}

type mount struct {
	v    *volume
	root string // of the volume; not "" for a bind mount
}

// node is a directory. What lies in it apart from directories and a manifest
// concerns nobody.
type node struct {
	ino      uint64
	worktree bool // a linked git worktree
	file     *file
	debris   bool // what an interrupted write left beside the manifest
}

// file is a manifest, immutable.
type file struct {
	data     []byte
	mode     fs.FileMode
	serial   int // tells one writing from another
	manifest *agent.Manifest
	problem  *agent.Violation
}

func newDisk() *disk {
	d := &disk{volumes: map[string]*volume{}, mounts: map[string][]mount{}, errnos: map[string]string{}, hangs: map[string]bool{}}
	d.mount("/", mount{v: d.volume("disk")})
	return d
}

// volume finds a volume, or makes an empty one.
func (d *disk) volume(name string) *volume {
	v := d.volumes[name]
	if v == nil {
		v = &volume{name: name, dev: uint64(len(d.volumes) + 1), nodes: map[string]*node{}}
		v.nodes[""] = v.node()
		d.volumes[name] = v
	}
	return v
}

func (v *volume) node() *node {
	v.lastIno++
	return &node{ino: v.lastIno}
}

func (d *disk) mount(point string, m mount) {
	d.mounts[point] = append(d.mounts[point], m)
	d.version++
}

func (d *disk) unmount(point string) {
	if n := len(d.mounts[point]); n > 1 {
		d.mounts[point] = d.mounts[point][:n-1]
	} else {
		delete(d.mounts, point)
	}
	d.version++
}

// at finds the mount that covers a path, and the path in its volume.
func (d *disk) at(p string) (m mount, point, rel string) {
	for q := p; ; q = path.Dir(q) {
		if stack := d.mounts[q]; len(stack) > 0 {
			m = stack[len(stack)-1]
			return m, q, strings.Trim(m.root+"/"+strings.TrimPrefix(p, q), "/")
		}
	}
}

// dir is the directory at a path, nil where there is none.
func (d *disk) dir(p string) *node {
	m, _, rel := d.at(p)
	return m.v.nodes[rel]
}

// id is that of the directory at a path.
func (d *disk) id(p string) agent.FileID {
	m, _, rel := d.at(p)
	if n := m.v.nodes[rel]; n != nil {
		return agent.FileID{Dev: m.v.dev, Ino: n.ino}
	}
	return agent.FileID{}
}

// covering is the mount that covers a path, as the port tells it.
func (d *disk) covering(p string) agent.Mount {
	m, point, _ := d.at(p)
	return agent.Mount{Point: point, Type: "ext4", Source: "/dev/" + m.v.name, Root: "/" + m.root, FSID: m.v.name}
}

// errno is what a look at a path fails with, "" where it does not.
func (d *disk) errno(p string) string {
	for q := p; ; q = path.Dir(q) {
		if d.hangs[q] && len(d.mounts[q]) > 0 {
			return "mount " + q + " does not answer"
		}
		if e := d.errnos[q]; e != "" {
			return e
		}
		if q == "/" {
			return ""
		}
	}
}

// children are the names of the directories in one, mount points included.
func (d *disk) children(p string) []string {
	m, _, rel := d.at(p)
	prefix := strings.TrimPrefix(rel+"/", "/")
	names := map[string]struct{}{}
	for q := range m.v.nodes {
		if name, ok := strings.CutPrefix(q, prefix); ok && name != "" && !strings.Contains(name, "/") {
			names[name] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// make makes a directory and whatever of its parents is not there.
func (d *disk) make(p string) *node {
	m, _, rel := d.at(p)
	for i := range len(rel) + 1 {
		if i != len(rel) && rel[i] != '/' {
			continue
		}
		if m.v.nodes[rel[:i]] == nil {
			m.v.nodes[rel[:i]] = m.v.node()
			d.version++
		}
	}
	return m.v.nodes[rel]
}

// write puts a manifest into a directory, whatever was there.
func (d *disk) write(n *node, data []byte, mode fs.FileMode) {
	d.serial++
	d.version++
	f := &file{data: data, mode: mode, serial: d.serial}
	f.manifest, f.problem = agent.DecodeManifest(data)
	n.file = f
}

// holds is the id of the valid manifest at a path whatever keeps it from being
// read, "" for none.
func (d *disk) holds(p string) agent.ID {
	if n := d.dir(p); n != nil && n.file != nil && n.file.problem == nil {
		return n.file.manifest.ID
	}
	return ""
}

// projects are the paths at which a manifest lies, in order; every spelling of
// a directory that is mounted.
func (d *disk) projects() []string {
	var list []string
	d.walk("/", func(p string, n *node) {
		if n.file != nil {
			list = append(list, p)
		}
	})
	return list
}

// dirs are the directories that are mounted, in order.
func (d *disk) dirs() []string {
	var list []string
	d.walk("/", func(p string, _ *node) { list = append(list, p) })
	return list
}

func (d *disk) walk(p string, f func(string, *node)) {
	n := d.dir(p)
	if n == nil {
		return
	}
	f(p, n)
	for _, name := range d.children(p) {
		d.walk(path.Join(p, name), f)
	}
}

// manifests are those on every volume, by volume and path.
func (d *disk) manifests() map[string]*file {
	all := map[string]*file{}
	for _, v := range d.volumes {
		for rel, n := range v.nodes {
			if n.file != nil {
				all[v.name+":"+rel] = n.file
			}
		}
	}
	return all
}

func sameFile(a, b *file) bool  { return a == b }
func sameBytes(a, b *file) bool { return bytes.Equal(a.data, b.data) }
