package controller

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// APIVersion names the shape of the JSON below.
const APIVersion = "mesh-controller/v1"

// Time is printed as RFC 3339 in UTC with milliseconds; the zero time is null.
type Time time.Time

// MarshalJSON writes a time or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = Time{}
		return nil
	}
	v, err := time.Parse(`"`+time.RFC3339Nano+`"`, string(b))
	*t = Time(v.UTC())
	return err
}

// String is the printed form, "" for the zero time.
func (t Time) String() string { return agent.FormatTime(time.Time(t)) }

// AgentsResult is what `agents -o json` prints.
type AgentsResult struct {
	APIVersion string          `json:"apiVersion"`
	Agents     []AgentStatus   `json:"agents"`
	Problems   []ProblemStatus `json:"problems"`
}

// AgentStatus is one agent as it stands: every row, and every displaced id in
// its grace. Absent values are null.
type AgentStatus struct {
	ID             agent.ID     `json:"id"`
	Name           string       `json:"name"`
	Namespace      string       `json:"namespace"`
	Runtime        string       `json:"runtime"`
	ProjectPath    string       `json:"projectPath"`
	ScanRoot       *string      `json:"scanRoot"`
	Status         string       `json:"status"` // active or unreachable
	Reason         agent.Reason `json:"reason"`
	Message        *string      `json:"message"`
	Since          Time         `json:"since"`
	MissingSince   Time         `json:"missingSince"`
	RemoveAt       Time         `json:"removeAt"`
	Hold           *Hold        `json:"hold"`
	RelaySubject   string       `json:"relaySubject"`
	Endpoint       bool         `json:"endpoint"`
	LastSeenAt     *string      `json:"lastSeenAt"`
	DuplicatePaths []string     `json:"duplicatePaths"`
}

// Hold is a guard that stops a removal.
type Hold struct {
	Reason agent.Reason `json:"reason"`
	Since  Time         `json:"since"`
	// Until is when it ends by itself; null where nothing but a change ends it.
	Until Time `json:"until"`
}

// ProblemStatus is one refused manifest, unreadable path, contested row or
// leaked endpoint.
type ProblemStatus struct {
	Path    string       `json:"path"`
	Reason  agent.Reason `json:"reason"`
	Message string       `json:"message"`
	AgentID *agent.ID    `json:"agentId"`
	Since   Time         `json:"since"`
}

// SyncRequest asks for one acknowledged resync.
type SyncRequest struct {
	// Targets are ids or paths; none means everything.
	Targets []string `json:"targets,omitempty"`
	// Full reads and hashes every manifest.
	Full bool `json:"full,omitempty"`
	// Trigger is what the metrics count it as: startup, interval, signal, api.
	Trigger string `json:"-"`
	// below a path: only ids that are recorded or seen there; "" for everybody.
	below string
}

// SyncResult is what `sync -o json` prints.
type SyncResult struct {
	Converged       bool      `json:"converged"`
	Full            bool      `json:"full"`
	DurationSeconds float64   `json:"durationSeconds"`
	Counts          Counts    `json:"counts"`
	Failures        []Failure `json:"failures"`
	// RelayDegraded says why rules or mailboxes could not be looked at: the rest
	// of the result does not speak of them. Absent where they were.
	RelayDegraded string `json:"relayDegraded,omitempty"`
}

// Counts of a sync. An agent counts once, under the first that applies of
// discovered, relocated, resurrected, removed, unreachable, synced. Duplicates,
// invalid, unknown and held count what is; the others what this sync did.
// Queued counts the keys in which something was found to do.
type Counts struct {
	Agents      int `json:"agents"`
	Queued      int `json:"queued"`
	Discovered  int `json:"discovered"`
	Synced      int `json:"synced"`
	Relocated   int `json:"relocated"`
	Unreachable int `json:"unreachable"`
	Resurrected int `json:"resurrected"`
	Removed     int `json:"removed"`
	Duplicates  int `json:"duplicates"`
	Invalid     int `json:"invalid"`
	Unknown     int `json:"unknown"`
	Held        int `json:"held"`
	Failed      int `json:"failed"`
}

// Failure is a key that an error or Unknown evidence left for a retry.
type Failure struct {
	ID      agent.ID     `json:"id"`
	Path    string       `json:"path"`
	Reason  agent.Reason `json:"reason"`
	Message string       `json:"message"`
}

// PlanRequest asks what would be done.
type PlanRequest struct {
	Targets []string
	// At is the time to plan for; zero means now.
	At time.Time
}

// PlanResult is what `plan -o json` prints.
type PlanResult struct {
	At      Time         `json:"at"`
	Changes []PlanChange `json:"changes"`
	// Pending: an entry has actions or a clock that would start (exit code 2).
	Pending bool `json:"-"`
}

// PlanChange is what would be done to one agent, or the problem it has.
type PlanChange struct {
	ID       agent.ID     `json:"id"`
	Path     string       `json:"path"`
	Reason   agent.Reason `json:"reason"`
	Message  string       `json:"message,omitempty"`
	Actions  []PlanAction `json:"actions"`
	RemoveAt Time         `json:"removeAt"`
}

// PlanAction is one action, field by field where it has fields.
type PlanAction struct {
	Type  string  `json:"type"`
	Field *string `json:"field"`
	From  *string `json:"from"`
	To    *string `json:"to"`
}

// Explanation is one agent seen from every side.
type Explanation struct {
	ID       agent.ID        `json:"id"`
	Path     string          `json:"path"`
	Agent    *AgentStatus    `json:"agent"` // null where the index has no row
	File     FileView        `json:"file"`
	Fields   []FieldView     `json:"fields"`
	Relay    RelayView       `json:"relay"`
	Next     []PlanChange    `json:"next"` // what the next pass would do; empty: nothing
	Problems []ProblemStatus `json:"problems"`
	Events   []EventView     `json:"events"`
	// Hints say what to run.
	Hints []string `json:"hints"`
}

// FileView is what a fresh look at the manifest says.
type FileView struct {
	Path     string `json:"path"`
	Evidence string `json:"evidence"`
	Message  string `json:"message,omitempty"`
}

// FieldView sets file and row side by side.
type FieldView struct {
	Field string  `json:"field"`
	File  *string `json:"file"`
	Row   *string `json:"row"`
	Same  bool    `json:"same"`
}

// RelayView is what the relay has of the agent.
type RelayView struct {
	Subject   string   `json:"subject"`
	Endpoints []string `json:"endpoints"`
	Rules     string   `json:"rules"` // "2 of 2", or why they cannot be read
}

// EventView is one line of history.
type EventView struct {
	At      Time         `json:"at"`
	ID      agent.ID     `json:"id"`
	Reason  agent.Reason `json:"reason"`
	Path    string       `json:"path"`
	Message string       `json:"message"`
}
