package main

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// statManifests stats every manifest once from one goroutine: what a sweep over
// known ones cannot be cheaper than. It is the usage of one pass, of several
// where one is too short for the clock.
func statManifests(paths []string) (usage, error) {
	return perPass(max(1, 10_000/len(paths)), func() error { return statAll(paths) })
}

// statAtOnce stats paths once from 64 goroutines.
func statAtOnce(paths []string) (usage, error) {
	return perPass(1, func() error {
		var wg sync.WaitGroup
		errs := make(chan error, 64)
		for i := range cap(errs) {
			share := paths[len(paths)*i/cap(errs) : len(paths)*(i+1)/cap(errs)]
			wg.Go(func() { errs <- statAll(share) })
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func statAll(paths []string) error {
	var st unix.Stat_t
	for _, p := range paths {
		if err := unix.Fstatat(unix.AT_FDCWD, p, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return fmt.Errorf("stat %s: %w", p, err)
		}
	}
	return nil
}

// perPass is what one of some passes used.
func perPass(passes int, pass func() error) (usage, error) {
	before, err := ownCPU()
	if err != nil {
		return usage{}, err
	}
	began := time.Now()
	for range passes {
		if err := pass(); err != nil {
			return usage{}, err
		}
	}
	wall := time.Since(began).Seconds()
	after, err := ownCPU()
	return usage{wall: wall / float64(passes), cpu: (after - before) / float64(passes)}, err
}

// manifests of a tree, in order.
func manifests(f fleet) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(f.root, "team-*/project-*/.dork/agent.json"))
	if err == nil && len(paths) != f.n {
		err = fmt.Errorf("%s has %d agents, not %d: remove it", f.root, len(paths), f.n)
	}
	return paths, err
}
