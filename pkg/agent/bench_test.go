package agent_test

import (
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// A manifest of ordinary size, 1.1 KB, as an agent with everything set has it.
const benchManifest = `{
  "id": "01JZ8Q4T7M3N5P6R8S9V0W1X2Y",
  "name": "billing",
  "displayName": "Billing service",
  "description": "Keeps the ledger, the invoices and the reminders in order.",
  "runtime": "claude-code",
  "capabilities": ["ledger", "invoices", "reminders", "code-review"],
  "behavior": {
    "responseMode": "mention-only",
    "escalationThreshold": 0.75
  },
  "budget": {
    "maxHopsPerMessage": 5,
    "maxCallsPerHour": 100
  },
  "namespace": "finance",
  "registeredAt": "2026-03-05T02:53:07.420Z",
  "registeredBy": "mesh",
  "persona": "You are careful with money.\nNever round before the last step.",
  "personaEnabled": true,
  "traits": {
    "verbosity": 2, "autonomy": 4, "chaos": 1, "creativity": 3, "humor": 2, "spice": 1
  },
  "conventions": {
    "soul": true,
    "nope": true,
    "dorkosKnowledge": false
  },
  "color": "#3b82f6",
  "icon": "💶",
  "model": "large",
  "effort": "high",
  "enabledToolGroups": {
    "tasks": true,
    "relay": true
  },
  "mcpServers": [],
  "futureField": {"kept": ["as", "it", "is"]}
}
`

func BenchmarkDecodeManifest(b *testing.B) {
	data := []byte(benchManifest)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, v := agent.DecodeManifest(data); v != nil {
			b.Fatal(v)
		}
	}
}
