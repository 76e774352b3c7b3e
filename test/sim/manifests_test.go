package sim

import (
	"bytes"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// registeredAt is when users say that their agents began.
const registeredAt = "2026-01-01T00:00:00.000Z"

// manifest is what a user writes.
func manifest(id agent.ID, name, namespace string, system bool) []byte {
	m := agent.NewManifest()
	m.ID, m.Name, m.Runtime, m.Namespace, m.IsSystem = id, name, "claude-code", namespace, system
	m.RegisteredAt, m.RegisteredBy = registeredAt, "user"
	m.Capabilities = []string{}
	data, err := agent.EncodeManifest(m)
	if err != nil {
		panic(err)
	}
	return data
}

// edit changes fields of the manifest at a path, as an editor does: the file is
// written in place. Nothing behind the equals sign takes a field out.
func (d *disk) edit(p string, set ...string) {
	n := d.dir(p)
	if n == nil || n.file == nil || n.file.problem != nil {
		return
	}
	var assigned []agent.Assignment
	for _, s := range set {
		a, err := agent.ParseAssignment(s)
		if err != nil {
			return
		}
		assigned = append(assigned, a)
	}
	data, err := agent.EditManifest(n.file.data, assigned)
	if err == nil {
		d.write(n, data, n.file.mode)
	}
}

// corruption is put before a manifest to spoil it: mending takes it away.
var corruption = []byte("<<<<<<< HEAD\n")

func (d *disk) corrupt(p string) {
	if n := d.dir(p); n != nil && n.file != nil && !bytes.HasPrefix(n.file.data, corruption) {
		d.write(n, append(bytes.Clone(corruption), n.file.data...), n.file.mode)
	}
}

func (d *disk) mend(p string) {
	if n := d.dir(p); n != nil && n.file != nil {
		if data, was := bytes.CutPrefix(n.file.data, corruption); was {
			d.write(n, bytes.Clone(data), n.file.mode)
		}
	}
}
