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
	"strconv"
	"strings"
	"syscall"
)

func main() {
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
}

// measurement is one kind of measuring; it yields the lines of one size.
type measurement struct {
	name  string
	sizes func(n int) bool
	run   func(context.Context, *bench, string, int) ([]line, error)
}

var measurements = []measurement{
	{"size", only(50), measureBinary},
	{"cold", from(50), measureCold},
	{"quiet", from(50), measureQuiet},
	{"quiet-foreign-commit", from(1000), measureForeign},
	{"quiet-default-depth", from(50), measureDefaultDepth},
}

func only(n int) func(int) bool { return func(m int) bool { return m == n } }
func from(n int) func(int) bool { return func(m int) bool { return m >= n } }

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	sizes := flags.String("sizes", "50,1000,10000", "numbers of agents, comma-separated")
	tree := flags.String("tree", "", "an existing tree of the one size, instead of one below -dir")
	which := flags.String("run", ".", "the measurements to take, a regular `expression`")
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
	var all []line
	for word := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return fmt.Errorf("-sizes: %w", err)
		}
		root := *tree
		if root == "" {
			if root, err = keptTree(b.dir, n); err != nil {
				return err
			}
		}
		for _, m := range measurements {
			if !wanted.MatchString(m.name) || !m.sizes(n) {
				continue
			}
			fmt.Fprintf(os.Stderr, "%s %d\n", m.name, n)
			lines, err := m.run(ctx, b, root, n)
			if err != nil {
				// What is measured already is worth printing.
				return errors.Join(fmt.Errorf("%s at %d agents: %w", m.name, n, err), write(os.Stdout, *format, all))
			}
			all = append(all, lines...)
		}
	}
	return write(os.Stdout, *format, all)
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
