package plan

import (
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Roots are the scan roots that namespaces are derived from.
type Roots struct {
	// Managed is <dork-home>/agents.
	Managed string
	// Configured by the operator, Recorded in rows of the index.
	Configured, Recorded []string
}

// Effective is the root of a path, "" for none.
func (r Roots) Effective(path string) string {
	return agent.EffectiveRoot(path, r.Managed, r.Configured, r.Recorded)
}

// Locate is what follows from a manifest lying at path. Reserved are the
// namespaces in which a system agent lives: outside the managed home nobody
// else may name or derive one of them.
func Locate(m *agent.Manifest, path string, roots Roots, reserved map[string]bool) Placement {
	root := roots.Effective(path)
	ns, ok := agent.ResolveNamespace(m, path, root)
	p := Placement{
		ScanRoot:  root,
		Namespace: ns,
		Managed:   roots.Managed != "" && path != roots.Managed && agent.Within(path, roots.Managed),
	}
	switch {
	case !ok:
		p.Problem = &agent.Violation{Field: "namespace", Message: "nothing usable is left of it after normalising; use a to z, 0 to 9 and dashes, at most 64"}
	case !p.Managed && reserved[ns]:
		p.Problem = &agent.Violation{Field: "namespace", Message: "namespace " + ns + " is a system agent's and reserved; set another one in the manifest"}
	}
	return p
}
