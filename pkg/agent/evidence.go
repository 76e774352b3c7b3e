package agent

// Evidence is what a look at <project>/.dork/agent.json can say about one id.
type Evidence uint8

// The seven classes. Unknown is the zero value on purpose: whatever was not
// looked at is doubt, never absence.
const (
	// Unknown: an errno other than ENOENT and ENOTDIR, or a deadline passed.
	Unknown Evidence = iota
	// Present: a valid manifest that carries the expected id.
	Present
	// OtherAgent: a valid manifest that carries another id.
	OtherAgent
	// Invalid: read, but not a manifest (or not a regular file, or a link).
	Invalid
	// FileMissing: the project directory is there, the manifest is not.
	FileMissing
	// DirMissing: the project directory is gone from a volume that is there.
	DirMissing
	// VolumeGone: nothing (or another agent) is there, and the mount that
	// covers the path is not the one remembered.
	VolumeGone
)

// Absent reports whether the evidence is an absence: the only classes that can
// start a clock.
func (e Evidence) Absent() bool {
	switch e {
	case OtherAgent, FileMissing, DirMissing, VolumeGone:
		return true
	case Unknown, Present, Invalid:
		return false
	}
	return false
}

// Reason names the evidence in the vocabulary of reasons. OtherAgent reads as
// ManifestMissing: from the id's own point of view its manifest is not there.
func (e Evidence) Reason() Reason {
	switch e {
	case Present:
		return InSync
	case OtherAgent, FileMissing:
		return ManifestMissing
	case Invalid:
		return ManifestInvalid
	case DirMissing:
		return PathMissing
	case VolumeGone:
		return VolumeMissing
	case Unknown:
		return UnknownEvidence
	}
	return UnknownEvidence
}

// String is the form that is stored and logged.
func (e Evidence) String() string {
	switch e {
	case Present:
		return "Present"
	case OtherAgent:
		return "OtherAgent"
	case Invalid:
		return "Invalid"
	case FileMissing:
		return "ManifestMissing"
	case DirMissing:
		return "PathMissing"
	case VolumeGone:
		return "VolumeMissing"
	case Unknown:
		return "Unknown"
	}
	return "Unknown"
}

// ParseEvidence is the inverse of String; a word it does not know is Unknown.
func ParseEvidence(s string) Evidence {
	for e := Unknown; e <= VolumeGone; e++ {
		if e.String() == s {
			return e
		}
	}
	return Unknown
}

// Look is one look at a project directory, as a source reports it. A source
// does not know which id was expected nor which mount was remembered: Class is
// one of Unknown, Present, Invalid, FileMissing and DirMissing, and Judge turns
// it into evidence about an id.
type Look struct {
	Path  string
	Class Evidence
	// Manifest is set when Class is Present.
	Manifest *Manifest
	// Problem says what is wrong when Class is Invalid.
	Problem *Violation
	// Err names the errno or the deadline when Class is Unknown, and the errno
	// of an absence. For people.
	Err string
	// Mount covers the path now (its nearest existing ancestor).
	Mount Mount
	// Dir is the project directory itself; zero when it is not there.
	Dir FileID
	// AnchorGone: the anchor that was asked for (the scan root, or the parent
	// directory where there is none) is not there either.
	AnchorGone bool
	// Worktree: the project lies in a linked git worktree.
	Worktree bool
}

// Judge is what the look says about id, given the mount that was remembered
// when the id was last Present (zero: never seen Present).
//
// An absence counts only when the volume is proven to be there: the mount now
// is the remembered one or, where none is remembered, the anchor exists.
func (l *Look) Judge(id ID, remembered Mount) Evidence {
	e := l.Class
	if e == Present && l.Manifest.ID != id {
		e = OtherAgent
	}
	if !e.Absent() {
		return e
	}
	switch {
	case remembered.IsZero():
		if e != OtherAgent && l.AnchorGone {
			return VolumeGone
		}
	case l.Mount != remembered:
		return VolumeGone
	}
	return e
}
