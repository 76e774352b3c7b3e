package controller

import (
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// RegisterRequest asks for an agent at a project directory. Fields that are
// empty (nil) are not named: an existing manifest is asked for nothing then, and
// a new one gets its default.
type RegisterRequest struct {
	// Path of an existing project directory.
	Path string `json:"path"`
	// Name and Runtime are required where there is no manifest yet.
	Name    string `json:"name,omitempty"`
	Runtime string `json:"runtime,omitempty"`
	// Namespace, where not named, is derived from the place.
	Namespace    *string  `json:"namespace,omitempty"`
	Description  *string  `json:"description,omitempty"`
	Capabilities []string `json:"capabilities,omitempty"`
	// Force rewrites the named fields of a manifest that says otherwise, and
	// replaces one that is not valid.
	Force bool `json:"force,omitempty"`
}

// UpdateRequest asks for other values in a registered agent's manifest.
type UpdateRequest struct {
	// Target is the agent's id or its project directory.
	Target string `json:"target"`
	// Set are assignments field=value, carried out in their order: a field of
	// the manifest or a path into one (behavior.responseMode). Strings are
	// written as they are, everything else as JSON; nothing behind the equals
	// sign takes an optional field out.
	Set []string `json:"set"`
}

// UnregisterRequest asks for an agent's end.
type UnregisterRequest struct {
	// Target is the agent's id or its project directory.
	Target string `json:"target"`
	// AllCopies: the manifests of copies that carry the id go too.
	AllCopies bool `json:"allCopies,omitempty"`
}

// Outcome is what an intent came to, proven in file, row and relay.
type Outcome struct {
	ID   agent.ID `json:"id"`
	Path string   `json:"path"`
	// Reason is what was done (Registered, Updated, Unregistered, Relocated) or
	// InSync where everything was so already.
	Reason  agent.Reason `json:"reason"`
	Message string       `json:"message"`
	// Finished is false where the rest (the relay is down, DorkOS holds the
	// mailbox) follows by itself.
	Finished bool `json:"finished"`
	// Agent as it stands now; null where it is gone.
	Agent *AgentStatus `json:"agent"`
}

// Refusal says that an order was refused and nothing was touched.
type Refusal struct {
	// Usage: the words of the order are wrong, whatever the world looks like.
	Usage   bool
	Message string
	// Hint is what to do, never empty.
	Hint string
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

// Denial is an entry of the deny list.
type Denial struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
	Since  Time   `json:"since"`
}

// DenialsResult is what `agents --denied -o json` prints.
type DenialsResult struct {
	APIVersion string   `json:"apiVersion"`
	Denials    []Denial `json:"denials"`
}
