package store

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

const crashEnv = "STORE_TEST_COMMIT_UNTIL_KILLED"

// commitUntilKilled is what the child process does.
func commitUntilKilled(path string) {
	ctx := context.Background()
	lock, err := Acquire(path)
	if err == nil {
		var s *Store
		if s, err = Open(ctx, Options{Path: path, Lock: lock, Now: time.Now}); err == nil {
			for i := 0; err == nil; i++ {
				id := fmt.Sprintf("%d-%d", os.Getpid(), i)
				ch := insert(id, "/r/"+id)
				ch.Durable = i%2 == 0
				ch.Events = []agent.Event{{Reason: agent.Discovered, ID: ch.ID}}
				_, err = s.Commit(ctx, []agent.Change{ch})
				if i == 0 {
					fmt.Println("committing")
				}
			}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Whatever moment a process is killed at, the index is whole, every row has its
// event, and it is not taken for one that was lost.
func TestKilledMidCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mesh.db")
	for round := range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashEnv+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 1))
		time.Sleep(time.Duration(1+round*7) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()

		lock, err := Acquire(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), Options{Path: path, Lock: lock, QuickCheck: true, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		l, _ := list(t, s)
		if l.Lost {
			t.Error("a killed writer's index is taken for lost")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := selectText(t, path, `PRAGMA integrity_check`); got[0] != "ok" {
			t.Fatal(got)
		}
		if got := selectText(t, path, `SELECT count(*) - (SELECT count(*) FROM mesh_controller_events) FROM agents`); got[0] != "0" {
			t.Errorf("rows without event: %s", got[0])
		}
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
	}
}
