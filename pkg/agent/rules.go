package agent

// Action of a rule.
const (
	Allow = "allow"
	Deny  = "deny"
)

// Rule is an access rule of the relay. The highest priority is looked at first,
// the first match wins.
type Rule struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Action   string `json:"action"`
	Priority int    `json:"priority"`
}

// BaseRules are the two rules of a namespace, deny first: the order in which
// they are added. Removal goes the other way round.
func BaseRules(namespace string) []Rule {
	own := subjectPrefix + namespace + ".*"
	return []Rule{
		{From: own, To: "relay.agent.>", Action: Deny, Priority: 10},
		{From: own, To: own, Action: Allow, Priority: 100},
	}
}

// SystemRules are the two further rules of a namespace in which a system agent
// lives.
func SystemRules(namespace string) []Rule {
	own := subjectPrefix + namespace + ".*"
	return []Rule{
		{From: own, To: "relay.agent.>", Action: Allow, Priority: 200},
		{From: "relay.agent.>", To: own, Action: Allow, Priority: 200},
	}
}

// RuleSet is what of a namespace's exact four rules is there.
type RuleSet struct {
	Deny, Allow         bool // the base rules
	SystemOut, SystemIn bool // the system rules
}

// Covers reports whether everything that the namespace needs is there.
func (s RuleSet) Covers(system bool) bool {
	return s.Deny && s.Allow && (!system || s.SystemOut && s.SystemIn)
}

// Any reports whether one of the four is there.
func (s RuleSet) Any() bool { return s.Deny || s.Allow || s.SystemOut || s.SystemIn }
