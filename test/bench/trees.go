package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// perTeam projects share a namespace.
const perTeam = 100

// Tree makes n projects below dir: each with a manifest of 600 to 1,500 bytes
// and 5 to 20 siblings, a third of them folders, some of them excluded ones.
func Tree(dir string, n int) error {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range n {
		project := filepath.Join(dir, fmt.Sprintf("team-%04d", i/perTeam), fmt.Sprintf("project-%06d", i))
		if err := os.MkdirAll(filepath.Join(project, ".dork"), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(project, ".dork/agent.json"), Manifest(r, i), 0o644); err != nil {
			return err
		}
		if err := siblings(r, project); err != nil {
			return err
		}
	}
	return nil
}

func siblings(r *rand.Rand, project string) error {
	for s := range 5 + r.IntN(16) {
		name := filepath.Join(project, fmt.Sprintf("entry-%02d", s))
		switch {
		case s%3 != 0:
			if err := os.WriteFile(name+".txt", nil, 0o644); err != nil {
				return err
			}
		default:
			if err := os.MkdirAll(name, 0o755); err != nil {
				return err
			}
		}
	}
	for _, noise := range []string{".git", "node_modules"} {
		if r.IntN(10) < 7 {
			if err := os.MkdirAll(filepath.Join(project, noise, "deep/er"), 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// ID of the i-th agent.
func ID(i int) string { return fmt.Sprintf("01JBENCH%018d", i) }

// Manifest of the i-th agent.
func Manifest(r *rand.Rand, i int) []byte {
	return fmt.Appendf(nil, `{
  "id": %q,
  "name": "agent-%06d",
  "description": %q,
  "runtime": "claude-code",
  "capabilities": ["build", "review", "tests"],
  "behavior": {"responseMode": "mention-only", "escalationThreshold": 3},
  "budget": {"maxHopsPerMessage": 5, "maxCallsPerHour": 100},
  "registeredAt": "2026-08-19T08:12:45.452Z",
  "registeredBy": "bench",
  "persona": %q,
  "personaEnabled": true,
  "color": "#0ea5e9",
  "someoneElses": {"keep": [1, 2, 3]}
}
`, ID(i), i, "Looks after project "+fmt.Sprint(i), strings.Repeat("Careful. ", 20+r.IntN(80)))
}
