package metrics

import (
	"slices"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// A set is a closed list of label values. The first one is the fallback: what
// a word counts as that is not in the list.
type set []string

func (s set) of(word string) string {
	if slices.Contains(s, word) {
		return word
	}
	return s[0]
}

// The closed sets of the contract.
func driftKinds() set       { return set{"row", "field", "path", "namespace", "endpoint", "rules"} }
func driftCauses() set      { return set{"unknown", "file", "index", "relay"} }
func reconcileResults() set { return set{"error", "ok", "requeue", "panic", "timeout"} }
func sweepTriggers() set    { return set{"api", "startup", "interval", "signal"} }
func sweepResults() set     { return set{"error", "ok", "incomplete"} }
func sources() set          { return set{"files", "index", "relay"} }
func indexOps() set         { return set{"other", "list", "read", "commit"} }
func relayOps() set         { return set{"other", "list", "read", "endpoint", "mail", "rules"} }

// removalReasons are the evidence on which an agent can leave the index.
func removalReasons() set {
	return set{
		string(agent.Removed), string(agent.ManifestMissing), string(agent.PathMissing),
		string(agent.VolumeMissing), string(agent.Displaced), string(agent.Unregistered),
		string(agent.Denied), string(agent.EndpointLeaked),
	}
}

// Actions are the values of actions_total's label action: the types of a
// plan's actions, and "other" for what is none of them.
func Actions() []string {
	return []string{
		"other",
		"insertRow", "updateRow", "relocateRow", "markUnreachable", "markActive", "removeRow",
		"ensureEndpoint", "removeEndpoint", "moveMail", "ensureRules", "removeRules",
	}
}

// actionResults are the results an action can have. Only a write to the index
// can meet a conflict, and only a step that takes something away from a running
// DorkOS can be deferred; a series for the rest would stay at zero for ever.
func actionResults(action string) set {
	switch action {
	case "insertRow", "updateRow", "relocateRow", "markUnreachable", "markActive", "removeRow":
		return set{"error", "ok", "conflict"}
	case "removeEndpoint", "moveMail", "removeRules":
		return set{"error", "ok", "deferred"}
	default:
		return set{"error", "ok"}
	}
}

// indexOp maps what the controller was at to the op that it is counted under:
// a series per step would say no more about a database that does not answer.
func indexOp(step string) string {
	switch step {
	case "vacant":
		return "read"
	case "record", "events", "problems", "roots", "left":
		return "commit"
	default:
		return indexOps().of(step)
	}
}

// relayOp does the same for the relay; a step can be the type of an action.
func relayOp(step string) string {
	switch step {
	case "endpoints", "occupied":
		return "read"
	case "ensureEndpoint", "removeEndpoint":
		return "endpoint"
	case "moveMail":
		return "mail"
	case "ensureRules", "removeRules":
		return "rules"
	default:
		return relayOps().of(step)
	}
}

// holdOf maps the reason of a hold to its label. A removal that is kept back
// for any other reason could not be proven: incomplete.
func holdOf(r agent.Reason) hold {
	switch r { //nolint:exhaustive // only four reasons hold a removal back
	case agent.VolumeMissing:
		return volumeMissing
	case agent.MassMissing:
		return massMissing
	case agent.Settling:
		return settling
	default:
		return incomplete
	}
}

type hold int

const (
	volumeMissing hold = iota
	massMissing
	settling
	incomplete
	numHolds
)

func (h hold) String() string {
	return [numHolds]string{"volume_missing", "mass_missing", "settling", "incomplete"}[h]
}
