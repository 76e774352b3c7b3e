package memory_test

import (
	"fmt"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
	"github.com/mesh-registry/mesh-controller/pkg/relay/memory"
	"github.com/mesh-registry/mesh-controller/pkg/relay/relaytest"
)

func TestSuite(t *testing.T) {
	relaytest.Run(t, func(t *testing.T) *relaytest.Harness {
		r := memory.New()
		return &relaytest.Harness{
			Backend: r,
			Reopen:  func() relay.Backend { return r.Reopen() },
			Deliver: func(s agent.Subject, name, content string) {
				if !r.Deliver(s, name, content) {
					t.Errorf("no mailbox %s", s)
				}
			},
			Mail:     r.Mail,
			Kept:     r.Kept,
			Rules:    r.Rules,
			SetRules: r.SetRules,
			Writes:   r.Writes,
			Break: func(broken bool) {
				r.Break(map[bool]string{true: "line 1, column 1: broken"}[broken])
			},
			State:  r.String,
			Vanish: r.Vanish,
			Damage: r.Damage,
			DorkOS: r.DorkOS,
		}
	})
}

func ExampleRelay_Deliver() {
	r := memory.New()
	fmt.Println(r.Deliver("relay.agent.acme.01A", "1", "hello"))
	// Output: false
}
