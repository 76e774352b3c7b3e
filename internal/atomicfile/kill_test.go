package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// asVictim is set in a process that a test started to be killed: which act, on
// which file system, before which step, in which directory.
const asVictim = "ATOMICFILE_TEST_VICTIM"

var kinds = map[string]steps{"exchange": system, "named": namedOnly, "plain": plain}

// A real process that is really killed leaves what the other tests assume.
func TestKilledAtEveryStep(t *testing.T) {
	if v := os.Getenv(asVictim); v != "" {
		beVictim(t, v)
		return
	}
	for i, a := range acts {
		for kind, s := range kinds {
			sc := newScene(t)
			for step := range sc.length(a, s) {
				sc.set(a.before)
				killed(t, fmt.Sprintf("%d %s %d %s", i, kind, step+1, sc.dir.Name()))
				st := story{crash: step + 1}
				sc.recover(st)
				sc.want(st, a.before, a.after)
			}
		}
	}
}

func killed(t *testing.T, victim string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestKilledAtEveryStep$")
	cmd.Env = append(os.Environ(), asVictim+"="+victim)
	out, err := cmd.CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatalf("%s: %v %s", victim, err, out)
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
		t.Fatalf("%s: %v %s", victim, err, out)
	}
}

func beVictim(t *testing.T, victim string) {
	f := strings.Fields(victim)
	act, _ := strconv.Atoi(f[0])
	step, _ := strconv.Atoi(f[2])
	dir, err := openDir(f[3])
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	n := 0
	s := hooked(kinds[f[1]], func(string) error {
		if n++; n == step {
			return unix.Kill(os.Getpid(), unix.SIGKILL)
		}
		return nil
	})
	t.Fatal("survived", acts[act].do(s, dir))
}
