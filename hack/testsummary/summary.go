package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

// result of a test, in the order in which one beats another.
type result int

const (
	running result = iota // or not finished: the process died
	skipped
	passed
	failed
)

func (r result) String() string { return [...]string{"RUNNING", "skip", "ok", "FAIL"}[r] }

type key struct{ pkg, test string } // test is "" for the package itself

type summary struct {
	progress io.Writer
	results  map[key]result
	output   map[key]*strings.Builder
	parents  map[key]bool
	builds   map[string]*strings.Builder // compiler output of what does not build
}

func newSummary(progress io.Writer) *summary {
	return &summary{
		progress: progress,
		results:  map[key]result{},
		output:   map[key]*strings.Builder{},
		parents:  map[key]bool{},
		builds:   map[string]*strings.Builder{},
	}
}

func (s *summary) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) == nil {
				s.add(e)
			} else {
				fmt.Fprint(s.progress, line) // of the go command itself
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func (s *summary) add(e event) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		write(s.builds, e.ImportPath, e.Output)
	case "output":
		write(s.output, k, e.Output)
	case "run", "start":
		s.results[k] = max(s.results[k], running)
		if i := strings.LastIndexByte(e.Test, '/'); i >= 0 {
			s.parents[key{e.Package, e.Test[:i]}] = true
		}
	case "pass":
		s.finish(k, passed, e.Elapsed)
	case "skip":
		s.finish(k, skipped, e.Elapsed)
	case "fail":
		s.finish(k, failed, e.Elapsed)
	}
}

func (s *summary) finish(k key, r result, seconds float64) {
	s.results[k] = max(s.results[k], r)
	if k.test == "" {
		fmt.Fprintf(s.progress, "%-5s %s %.2fs\n", r, k.pkg, seconds)
	}
}

func write[K comparable](m map[K]*strings.Builder, k K, text string) {
	if m[k] == nil {
		m[k] = &strings.Builder{}
	}
	m[k].WriteString(text)
}

// print writes the verdict; its error says that not all is well.
func (s *summary) print(out io.Writer) error {
	for _, path := range slices.Sorted(maps.Keys(s.builds)) {
		fmt.Fprintf(out, "\n--- build of %s\n%s", path, s.builds[path])
	}
	var n [failed + 1]int
	for _, k := range slices.SortedFunc(maps.Keys(s.results), byName) {
		r := s.verdict(k)
		if !s.counts(k, r) {
			continue
		}
		n[r]++
		switch r {
		case failed:
			fmt.Fprintf(out, "\n--- FAIL %s %s\n%s", k.pkg, k.test, s.text(k))
		case skipped:
			fmt.Fprintf(out, "skip  %s %s: %s\n", k.pkg, k.test, reason(s.text(k)))
		case running, passed:
		}
	}
	fmt.Fprintf(out, "\n%d passed, %d failed, %d skipped\n", n[passed], n[failed], n[skipped])
	switch {
	case n[failed] > 0:
		return errors.New("tests failed")
	case n[passed] == 0:
		return errors.New("no test ran")
	}
	return nil
}

// verdict is the result; what never finished has failed.
func (s *summary) verdict(k key) result {
	if r := s.results[k]; r != running {
		return r
	}
	return failed
}

// counts reports whether k is a test of its own. A test with subtests counts,
// like a package, only if it failed and nothing below it did.
func (s *summary) counts(k key, r result) bool {
	if k.test != "" && !s.parents[k] {
		return true
	}
	return r == failed && !s.failedBelow(k)
}

func (s *summary) failedBelow(k key) bool {
	for other := range s.results {
		below := k.test == "" || strings.HasPrefix(other.test, k.test+"/")
		if other != k && other.pkg == k.pkg && below && s.verdict(other) == failed {
			return true
		}
	}
	return false
}

func (s *summary) text(k key) string {
	if b := s.output[k]; b != nil {
		return b.String()
	}
	return ""
}

// reason is what a skipped test said last before its own verdict.
func reason(output string) string {
	said := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "--- ") && !strings.HasPrefix(line, "=== ") {
			said = line
		}
	}
	return said
}

func byName(a, b key) int {
	if c := strings.Compare(a.pkg, b.pkg); c != 0 {
		return c
	}
	return strings.Compare(a.test, b.test)
}
