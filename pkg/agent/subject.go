package agent

import "strings"

const subjectPrefix = "relay.agent."

// Subject is an agent's address: relay.agent.{namespace}.{id}.
type Subject string

// SubjectOf builds the address. Both parts must be valid.
func SubjectOf(namespace string, id ID) Subject {
	return Subject(subjectPrefix + namespace + "." + string(id))
}

// Is reports whether the address is SubjectOf(namespace, id).
func (s Subject) Is(namespace string, id ID) bool {
	n := len(subjectPrefix)
	return len(s) == n+len(namespace)+1+len(id) && s[:n] == subjectPrefix &&
		string(s[n:n+len(namespace)]) == namespace && s[n+len(namespace)] == '.' && s[n+len(namespace)+1:] == Subject(id)
}

// ID is the last part of an address.
func (s Subject) ID() ID { return ID(s[strings.LastIndexByte(string(s), '.')+1:]) }

// ParseSubject takes an address apart. It refuses everything that is not
// exactly four concrete tokens, a namespace that is not in its normalised
// form, and the namespaces of runtimes: relay.agent.codex.x is a session of a
// runtime, not an agent of ours.
func ParseSubject(s string) (namespace string, id ID, ok bool) {
	rest, ok := strings.CutPrefix(s, subjectPrefix)
	if !ok {
		return "", "", false
	}
	namespace, last, ok := strings.Cut(rest, ".")
	id = ID(last)
	if !ok || !id.Valid() {
		return "", "", false
	}
	if !IsNamespace(namespace) {
		return "", "", false
	}
	return namespace, id, true
}
