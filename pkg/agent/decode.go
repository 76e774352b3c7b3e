package agent

import "bytes"

// What bounds a manifest. A file arrives by git clone and is not trusted.
const (
	// MaxManifestSize in bytes. A source reads one byte more to tell.
	MaxManifestSize = 1 << 20
	// MaxManifestDepth is how deep objects and arrays may nest, the manifest
	// itself being the first level.
	MaxManifestDepth = 32
	// MaxCapabilities per agent: a list of a million would be copied into
	// every row, diff and event.
	MaxCapabilities = 256
	// MaxDisplayName and MaxPersona in UTF-16 units.
	MaxDisplayName = 100
	MaxPersona     = 4000
)

// NewManifest is a manifest in which every field that has a default has it.
func NewManifest() *Manifest {
	m := new(Manifest)
	m.reset()
	return m
}

func (m *Manifest) reset() {
	*m = Manifest{Behavior: defaultBehavior, Budget: defaultBudget, PersonaEnabled: true}
}

// DecodeManifest reads an agent.json. Exactly one of the results is set.
//
// It understands a document as JavaScript's JSON.parse does, or refuses it: an
// invalid document is never taken for something else. Refused beyond that are
// keys that occur twice or differ only in letter case (Go's encoding/json, any
// case-insensitive reader and JSON.parse would disagree about them), text that
// is not UTF-8, lone surrogates, and whatever is over the bounds above. Fields
// that are not known are allowed and ignored; in what they hold, keys may differ
// in case alone (an environment may well have both http_proxy and HTTP_PROXY).
//
// The manifest does not alias data.
func DecodeManifest(data []byte) (*Manifest, *Violation) {
	m := new(Manifest)
	if bad := m.decode(newReader(data)); bad != nil {
		return nil, bad
	}
	return m, nil
}

// Peek is DecodeManifest for whoever looks at many and keeps nothing: m becomes
// the manifest, and its text is that in data, good for as long as data is not
// written to. What m held before is gone, and nothing in it means anything where
// the result is not nil.
func (m *Manifest) Peek(data []byte) *Violation {
	r := newReader(data)
	r.aliases = true
	return m.decode(r)
}

func (m *Manifest) decode(r *reader) *Violation {
	defer r.release()
	m.reset()
	if problem := unreadable(r.data); problem != "" {
		r.failAt(0, "", problem)
		return r.bad
	}
	r.next()
	readObject(r, manifestMembers, m)
	r.finish()
	return r.bad
}

// unreadable says why data cannot be a manifest at first sight, "" when it may.
func unreadable(data []byte) string {
	switch {
	case len(data) > MaxManifestSize:
		return "the file is larger than 1 MiB; a manifest is a few kilobytes"
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return "the file begins with a byte order mark; save it as UTF-8 without one"
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return "the file is UTF-16; save it as UTF-8"
	case len(bytes.TrimLeft(data, jsonSpace)) == 0:
		return "the file is empty; expected a JSON object"
	}
	return ""
}
