package sim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScripts tells what once failed.
func TestScripts(t *testing.T) {
	for name, text := range scripts(t) {
		t.Run(name, func(t *testing.T) {
			s, err := parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if r := run(t, s, logTo(t)); r.err != nil {
				t.Error(r.err)
			}
		})
	}
}

// scripts are read from testdata, or from SCRIPT alone.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
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
