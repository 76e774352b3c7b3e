package sources

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

var (
	rewrites    = flag.Int("rewrites", 6000, "manifests that TestRewrites rewrites in all")
	rewritesDir = flag.String("rewrites-dir", "", "where TestRewrites works; \"\": a temporary directory")
)

// rewriteModes are the ways in which a manifest gets other content of the same
// size.
var rewriteModes = []func(path, text string) error{
	func(path, text string) error { // in place
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text)
		if err == nil {
			return f.Close()
		}
		return err
	},
	func(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) },
	func(path, text string) error { // a new file in its place
		if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	},
	keepingTime(func(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) }),
	keepingTime(func(path, text string) error {
		st, err := os.Stat(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
			return err
		}
		if err := os.Chtimes(path+".new", st.ModTime(), st.ModTime()); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	}),
}

// keepingTime restores the time of modification.
func keepingTime(write func(path, text string) error) func(path, text string) error {
	return func(path, text string) error {
		st, err := os.Stat(path)
		if err != nil {
			return err
		}
		if err := write(path, text); err != nil {
			return err
		}
		return os.Chtimes(path, st.ModTime(), st.ModTime())
	}
}

// Whoever keeps what the sweeps report knows at the second sweep after a write,
// whatever kind of write it was and whatever it raced, what the file holds. The
// scrub has no part in it. On a file system whose clock has seconds
// (-rewrites-dir on ext4 with inodes of 128 bytes) too.
func TestRewrites(t *testing.T) {
	t.Parallel()
	const files = 2000
	root, err := RealPath(t.TempDir())
	must(t, err)
	if *rewritesDir != "" {
		root, err = os.MkdirTemp(*rewritesDir, "rewrites-")
		must(t, err)
		defer os.RemoveAll(root)
	}
	text := func(i, generation int) string {
		return fmt.Sprintf(`{"id":"A%04d","name":"a","runtime":"codex","namespace":"g%07d","registeredAt":"2026-01-02T03:04:05.000Z","registeredBy":"me"}`, i, generation)
	}
	paths, holds := make([]string, files), make([]int, files)
	for i := range files {
		paths[i] = filepath.Join(root, fmt.Sprintf("team-%02d/p%04d", i/100, i), manifestPath)
		write(t, paths[i], text(i, 0))
	}
	tree, req := newTree(t, Options{ScrubSweeps: NoScrub}), agent.SweepRequest{Roots: []string{root}}
	knows := map[agent.ID]string{}
	look := func() {
		req.Now = time.Now()
		l, changes := sweep(t, tree, req)
		for _, id := range changes.IDs {
			knows[id] = "" // half-written just now
			for _, at := range l.Places(id) {
				knows[id] = l.Sightings[at].Namespace
			}
		}
	}
	look()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %s", seed, root)
	rng := rand.New(rand.NewPCG(seed, 0))
	for done := 0; done < *rewrites; done += files {
		time.Sleep(racyWindow + 100*time.Millisecond) // what is known counts as settled now
		look()
		var over atomic.Bool
		go func() {
			defer over.Store(true)
			for _, i := range rng.Perm(files) {
				holds[i] = done + i + 1
				if err := rewriteModes[rng.IntN(len(rewriteModes))](paths[i], text(i, holds[i])); err != nil {
					t.Error(err)
				}
			}
		}()
		for !over.Load() {
			look() // races
		}
		look()
		look()
		for i := range files {
			id := agent.ID(fmt.Sprintf("A%04d", i))
			if want := fmt.Sprintf("g%07d", holds[i]); knows[id] != want {
				t.Errorf("after %d rewrites: %s is known to say %s, it says %s", done+files, id, knows[id], want)
			}
		}
		if t.Failed() {
			return
		}
	}
}
