package sim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScripts tells what once failed.
func TestScripts(t *testing.T) {
	for name, text := range scripts(t, "testdata/*.txt") {
		t.Run(name, func(t *testing.T) {
			s, err := parse(text)
			if err != nil {
				t.Fatal(err)
			}
			s.strict = true
			if r := run(t, s, logTo(t)); r.err != nil {
				t.Error(r.err)
			}
		})
	}
}

// TestOpen tells what is known to fail and not yet mended. Runs at random look
// the other way there.
func TestOpen(t *testing.T) {
	for name, text := range scripts(t, "testdata/open/*.txt") {
		t.Run(name, func(t *testing.T) {
			s, err := parse(text)
			if err != nil {
				t.Fatal(err)
			}
			s.strict = true
			want, _, _ := strings.Cut(strings.TrimPrefix(text, "# "), ":")
			switch r := run(t, s, logTo(t)); {
			case r.err == nil:
				t.Error("it holds now: the script belongs one directory up, and what looks the other way goes")
			case invariantOf(r.err) != want:
				t.Errorf("%v, want it to fail for %s", r.err, want)
			}
		})
	}
}

// scripts are read from the files that match, and from SCRIPT.
func scripts(t *testing.T, pattern string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if name := os.Getenv("SCRIPT"); name != "" {
		files = []string{name}
	}
	texts := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[strings.TrimSuffix(filepath.Base(name), ".txt")] = string(text)
	}
	return texts
}

func logTo(t *testing.T) func(string, ...any) {
	if *trail {
		return t.Logf
	}
	return nil
}
