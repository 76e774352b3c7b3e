// Command bench compares the built program with what its work costs at best.
// It makes deterministic trees, and in each round runs the floor (bare system
// calls) or the peer (fd and the sqlite3 shell) and the program by turns, so
// that a busy machine hurts both alike. Ratios are taken within a round.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	// A child dies with the thread that started it, so that must be one that
	// lasts: see command.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of the harness.
type bench struct {
	binary string // the program to measure
	dir    string // where trees are kept and homes are made
	rounds int
	fleets []fleet // that were asked for
}

// fleet is a tree of projects, each with an agent.
type fleet struct {
	root string
	n    int
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	sizes := flags.String("sizes", "50,1000,10000", "numbers of agents, comma-separated")
	tree := flags.String("tree", "", "an existing tree of the one size, instead of one below -dir")
	which := flags.String("run", ".", "the cases to measure, a regular `expression`")
	format := flags.String("o", "text", "text or json")
	b := &bench{}
	flags.IntVar(&b.rounds, "rounds", 5, "rounds of each measurement")
	flags.StringVar(&b.binary, "binary", "bin/mesh-controller", "the program to measure")
	flags.StringVar(&b.dir, "dir", filepath.Join(os.TempDir(), "mesh-controller-bench"), "where trees are kept")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*which)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	if err := lock(b.dir); err != nil {
		return err
	}
	if err := b.removeHomes(); err != nil {
		return err
	}
	if err := b.findFleets(*sizes, *tree); err != nil {
		return err
	}
	lines, err := b.measure(ctx, wanted)
	// What is measured already is worth printing.
	return errors.Join(err, write(os.Stdout, *format, lines), b.removeHomes())
}

func (b *bench) findFleets(sizes, tree string) error {
	if tree != "" {
		if strings.Contains(sizes, ",") {
			return errors.New("-tree is a tree of one size")
		}
		if err := lock(tree); err != nil {
			return err
		}
	}
	for word := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return fmt.Errorf("-sizes: %w", err)
		}
		root := tree
		if root == "" {
			if root, err = keptTree(b.dir, n); err != nil {
				return err
			}
		}
		if err := bringBack(root); err != nil {
			return err
		}
		b.fleets = append(b.fleets, fleet{root, n})
	}
	return nil
}

func (b *bench) measure(ctx context.Context, wanted *regexp.Regexp) ([]line, error) {
	var all []line
	for _, f := range b.fleets {
		for _, c := range cases {
			if !wanted.MatchString(c.name) || !c.sizes(f.n) {
				continue
			}
			fmt.Fprintf(os.Stderr, "%s %d\n", c.name, f.n)
			lines, err := c.measure(ctx, b, f)
			if err != nil {
				return all, fmt.Errorf("%s at %d agents: %w", c.name, f.n, err)
			}
			all = append(all, lines...)
		}
	}
	return all, nil
}

// keptTree is the tree of n agents, made at its first use. The marker beside
// it says that it is whole.
func keptTree(dir string, n int) (string, error) {
	root := filepath.Join(dir, "tree-"+strconv.Itoa(n))
	marker := root + ".whole"
	if _, err := os.Stat(marker); err == nil {
		return root, nil
	}
	if err := Tree(root, n); err != nil {
		return "", err
	}
	return root, os.WriteFile(marker, nil, 0o644)
}
