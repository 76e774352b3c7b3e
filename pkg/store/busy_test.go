package store

import (
	"bufio"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// holdLock lets the sqlite3 command hold the write lock; the result lets it go.
func holdLock(t *testing.T, path string) (release func()) {
	t.Helper()
	cli, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("there is no sqlite3 command")
	}
	cmd := exec.Command(cli, path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Write([]byte("BEGIN IMMEDIATE; UPDATE agents SET version = 'cli' WHERE id = 'a'; SELECT 'held';\n"))
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatal(line, err)
	}
	return sync.OnceFunc(func() {
		in.Write([]byte("COMMIT;\n"))
		in.Close()
		cmd.Wait()
	})
}

func TestWaitsForAnotherWriter(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	commit(t, x.s, insert("a", "/r/a"))
	release := holdLock(t, x.path)
	defer release()

	// As long as the context allows, and no longer.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := x.s.Commit(ctx, insertOf("b"))
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 3*time.Second {
		t.Error(err, time.Since(began))
	}
	// Reading goes on meanwhile.
	if l, _ := list(t, x.s); len(l.Entries) != 1 || l.Lost {
		t.Errorf("%+v", l)
	}
	time.AfterFunc(100*time.Millisecond, release)
	commit(t, x.s, insert("b", "/r/b"))
	if row := rowOf(t, x.s, "a"); row.Version != agent.TextCell("cli") {
		t.Errorf("%+v", row)
	}
}

func TestCancelledContext(t *testing.T) {
	s := openNew(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Commit(ctx, insertOf("a")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, _, err := s.List(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	// Somebody else is in: the wait ends with the context.
	s.gate <- struct{}{}
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := s.Read(ctx, nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	s.leave()
	commit(t, s, insert("a", "/r/a"))
}

func TestClosedStore(t *testing.T) {
	s := openNew(t)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.List(t.Context()); !errors.Is(err, errClosed) {
		t.Error(err)
	}
	if err := s.Rest(); err != nil {
		t.Error(err)
	}
}

// Workers, sweeps and the API at once, with others writing beside them.
func TestManyAtOnce(t *testing.T) {
	x := newIndex(t, filepath.Join(t.TempDir(), "mesh.db"))
	var g sync.WaitGroup
	for w := range 4 {
		g.Go(func() {
			for i := range 20 {
				id := string('a'+rune(w)) + string('a'+rune(i))
				if errs, err := x.s.Commit(t.Context(), insertOf(id)); err != nil || errs[0] != nil {
					t.Error(errs, err)
				}
				if i%5 == 0 {
					if err := x.s.Rest(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	g.Go(func() {
		for range 10 {
			if _, err := x.s.Events(t.Context(), agent.EventFilter{}); err != nil {
				t.Error(err)
			}
			if err := x.s.QuickCheck(t.Context()); err != nil {
				t.Error(err)
			}
			if err := x.s.Writable(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	g.Go(func() {
		db, err := sqlite3.Open(x.path)
		if err != nil {
			t.Error(err)
			return
		}
		defer db.Close()
		for range 50 {
			if err := db.Exec(`PRAGMA busy_timeout = 5000; UPDATE agents SET version = coalesce(version, 0) + 1`); err != nil {
				t.Error(err)
			}
		}
	})
	g.Wait()
	if l, _ := list(t, x.s); len(l.Entries) != 80 || l.Lost {
		t.Errorf("%d entries, lost %v", len(l.Entries), l.Lost)
	}
}

// The simulation runs the real store under a fake clock.
func TestInABubble(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mesh.db")
	synctest.Test(t, func(t *testing.T) {
		x := &index{TB: t, path: path}
		x.start()
		defer x.stop()
		commit(t, x.s, insert("a", "/r/a"))
		go func() {
			time.Sleep(time.Hour)
			x.s.leave()
		}()
		x.s.gate <- struct{}{}
		began := time.Now()
		list(t, x.s) // waits its turn in fake time
		if time.Since(began) != time.Hour {
			t.Error(time.Since(began))
		}
		if err := x.s.Rest(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}

// A write that landed proves that the index takes one; what changes nothing does not.
func TestWrittenIsTheLastWrite(t *testing.T) {
	s := openNew(t)
	before := s.Written()
	commit(t, s, agent.Change{ID: "a", At: at(0), SetState: true})
	if got := s.Written(); !got.Equal(before) {
		t.Errorf("%v after a change that changes nothing, %v before", got, before)
	}
	then := time.Now().Add(time.Hour)
	s.now = func() time.Time { return then }
	commit(t, s, insert("a", "/r/p"))
	if got := s.Written(); !got.Equal(then) {
		t.Errorf("%v after a write at %v", got, then)
	}
}
