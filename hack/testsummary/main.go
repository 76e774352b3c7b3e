// Command testsummary reads the output of `go test -json` and prints what a
// person wants to know of it: each package once, the output of what failed,
// why something was skipped, and a last line `N passed, N failed, N skipped`.
// It exits 1 if anything failed, a build included, or if nothing ran at all.
//
// A test that ran more than once (with and without -race, say) counts once: it
// failed if it ever did, and is skipped only if it always was.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	keep := flag.String("keep", "", "also append the input to this `file`")
	quiet := flag.Bool("quiet", false, "print no line per package")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *keep, *quiet); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, keep string, quiet bool) (err error) {
	if keep != "" {
		f, openErr := os.OpenFile(keep, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in = io.TeeReader(in, f)
	}
	progress := out
	if quiet {
		progress = io.Discard
	}
	s := newSummary(progress)
	if err := s.read(in); err != nil {
		return err
	}
	return s.print(out)
}
