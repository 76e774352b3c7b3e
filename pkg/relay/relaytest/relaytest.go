// Package relaytest is the one suite that every relay backend passes, the
// in-memory one included. It proves the promises of relay.Backend; what only
// one backend has is tested beside it.
package relaytest

import (
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// Harness is a fresh, empty backend and the hands that the world has on it.
type Harness struct {
	Backend relay.Backend
	// Reopen is another backend over the same state, as after a restart.
	Reopen func() relay.Backend

	// Deliver puts a letter into a mailbox that exists, as a sender does, and
	// Mail is what waits there, by the letters' names. Kept counts the letters
	// that are kept aside.
	Deliver func(s agent.Subject, name, content string)
	Mail    func(s agent.Subject) map[string]string
	Kept    func() int

	// Rules are all rules in their order, and SetRules replaces them as another
	// writer does. Writes counts the backend's own rewrites.
	Rules    func() []agent.Rule
	SetRules func(rules []agent.Rule)
	Writes   func() int

	// Break makes the rules unreadable, or readable again as they were.
	Break func(broken bool)
	// State is everything that is stored, for "nothing was written".
	State func() string

	// Vanish removes a mailbox behind the backend's back, Damage takes a part
	// of it.
	Vanish, Damage func(s agent.Subject)

	// DorkOS lets one appear beside the relay, anew if there is one, or lets it
	// stop. Nil where a backend has no such neighbour.
	DorkOS func(running bool)
}

// Run runs the suite. The function makes a fresh harness for each test.
func Run(t *testing.T, make func(t *testing.T) *Harness) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *Harness){
		"an empty relay lists nothing":               testEmpty,
		"ensuring an endpoint twice is once":         testEnsureTwice,
		"what is no address is refused":              testRefuses,
		"letter case alone makes no second address":  testLetterCase,
		"a half endpoint is made whole":              testHalf,
		"a namespace is occupied by its endpoints":   testOccupied,
		"mail follows to a new address":              testReaddress,
		"mail is added to what waits there":          testReaddressMerges,
		"an absent old address is no error":          testReaddressAbsent,
		"retiring keeps mail aside":                  testRetire,
		"mail comes back under another namespace":    testRestore,
		"only the id's own mail comes back":          testRestoreOwn,
		"rules go in by priority":                    testRulesPlace,
		"ensuring rules twice writes once":           testRulesTwice,
		"a batch is one write":                       testRulesBatch,
		"a half set is completed":                    testRulesHalf,
		"removal leaves foreign rules":               testRulesRemove,
		"system rules come and go alone":             testRulesSystem,
		"at no moment allow stands without deny":     testDenyFirst,
		"concurrent batches lose nothing":            testConcurrentRules,
		"concurrent ensure and retire leave a whole": testConcurrentEndpoints,
		"unreadable rules are never written":         testDegraded,
		"a quiet list is the same and names nobody":  testListQuiet,
		"own writes are no change":                   testListOwn,
		"a change of others names the id":            testListForeign,
		"a change of rules names the namespace":      testListRules,
		"another's change beside our write shows":    testListBeside,
		"listings are immutable":                     testListImmutable,
		"everything survives a restart":              testReopen,
		"a context that is over changes nothing":     testContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, make(t)) })
	}
	t.Run("beside a DorkOS", func(t *testing.T) {
		if make(t).DorkOS == nil {
			t.Skip("this backend has no such neighbour")
		}
		for name, test := range map[string]func(*testing.T, *Harness){
			"adding goes on":                        testDorkOSAdds,
			"moving waits until it stops":           testDorkOSReaddress,
			"retiring waits until it stops":         testDorkOSRetire,
			"a new run does not know the old":       testDorkOSRestart,
			"rules wait with their mailboxes":       testDorkOSRules,
			"an address that is back is asked anew": testDorkOSBack,
		} {
			t.Run(name, func(t *testing.T) { test(t, make(t)) })
		}
	})
}
