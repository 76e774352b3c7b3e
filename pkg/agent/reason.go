package agent

// Reason is the one closed vocabulary that says why: event reason, log field,
// metric label, status column and test name.
type Reason string

// The reasons. Each has its row in docs/operations.md.
const (
	InSync           Reason = "InSync"
	Discovered       Reason = "Discovered"
	Drifted          Reason = "Drifted"
	Updated          Reason = "Updated"
	NamespaceChanged Reason = "NamespaceChanged"
	Relocated        Reason = "Relocated"
	Resurrected      Reason = "Resurrected"
	Registered       Reason = "Registered"
	Unregistered     Reason = "Unregistered"
	Removed          Reason = "Removed"
	Displaced        Reason = "Displaced"
	DuplicateID      Reason = "DuplicateID"
	ManifestInvalid  Reason = "ManifestInvalid"
	UnknownEvidence  Reason = "Unknown"
	Denied           Reason = "Denied"
	ManifestMissing  Reason = "ManifestMissing"
	PathMissing      Reason = "PathMissing"
	VolumeMissing    Reason = "VolumeMissing"

	AwaitingGrace     Reason = "AwaitingGrace"
	Settling          Reason = "Settling"
	MassMissing       Reason = "MassMissing"
	IncompleteListing Reason = "IncompleteListing"

	EndpointMissing Reason = "EndpointMissing"
	EndpointLeaked  Reason = "EndpointLeaked"
	RulesDrifted    Reason = "RulesDrifted"
	RelayDegraded   Reason = "RelayDegraded"

	Paused      Reason = "Paused"
	Quarantined Reason = "Quarantined"
	Contested   Reason = "Contested"
	Conflict    Reason = "Conflict"
)

// Reasons lists the vocabulary in the order of the documentation.
func Reasons() []Reason {
	return []Reason{
		InSync, Discovered, Drifted, Updated, NamespaceChanged, Relocated, Resurrected,
		Registered, Unregistered, Removed, Displaced, DuplicateID, ManifestInvalid,
		UnknownEvidence, Denied, ManifestMissing, PathMissing, VolumeMissing,
		AwaitingGrace, Settling, MassMissing, IncompleteListing,
		EndpointMissing, EndpointLeaked, RulesDrifted, RelayDegraded,
		Paused, Quarantined, Contested, Conflict,
	}
}
