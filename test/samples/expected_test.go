package samples

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// expected is what a sample's EXPECTED.md says.
type expected struct {
	agents   []map[string]string
	problems []map[string]string
	rules    map[string]int
	letters  []map[string]string
	counts   map[string]int
}

// readExpected takes the tables of the page apart. Each is found by its header.
func readExpected(t *testing.T, dir string) expected {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(dir, "EXPECTED.md"))
	if err != nil {
		t.Fatal(err)
	}
	e := expected{rules: map[string]int{}, counts: map[string]int{}}
	var header []string
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			header = nil
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case header == nil:
			header = cells
		case strings.HasPrefix(cells[0], "--"):
		default:
			e.row(t, header, cells)
		}
	}
	if len(e.agents) == 0 || len(e.rules) == 0 || len(e.counts) == 0 {
		t.Fatalf("%s: tables not found", dir)
	}
	return e
}

func (e *expected) row(t *testing.T, header, cells []string) {
	t.Helper()
	row := map[string]string{}
	for i, h := range header {
		row[h] = cells[i]
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		return n
	}
	switch header[0] {
	case "id":
		e.agents = append(e.agents, row)
	case "path":
		e.problems = append(e.problems, row)
	case "namespace":
		e.rules[row["namespace"]] = number(row["rules"])
	case "file":
		e.letters = append(e.letters, row)
	case "count":
		e.counts[row["count"]] = number(row["value"])
	default:
		t.Fatalf("a table that nobody reads: %v", header)
	}
}

// allows reports whether one of the alternatives "a / b" is got; "-" stands for
// none.
func allows(alternatives, got string) bool {
	for a := range strings.SplitSeq(alternatives, "/") {
		if a = strings.TrimSpace(a); a == got || a == "-" && got == "" {
			return true
		}
	}
	return false
}
