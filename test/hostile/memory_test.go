package hostile

import (
	"context"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// resident is the memory now, from where a new peak is counted.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	must(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
	return status(t, "VmRSS:")
}

func peak(t *testing.T) int { t.Helper(); return status(t, "VmHWM:") }

func status(t *testing.T, key string) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	must(t, err)
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			must(t, err)
			return n << 10
		}
	}
	t.Fatalf("no %s", key)
	return 0
}

// trapped counts looks at the trap.
var trapped atomic.Int64

// disarmed traps let looks pass.
var disarmed atomic.Bool

// trap panics at a look at one path.
type trap struct {
	controller.Sources
	path string
}

func (s *trap) Probe(ctx context.Context, req agent.ProbeRequest) agent.Look {
	if req.Path == s.path && !disarmed.Load() {
		trapped.Add(1)
		panic("a bug")
	}
	return s.Sources.Probe(ctx, req)
}
