package story

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// script is the comment of an archive, line by line.
type script struct {
	file    string
	archive *txtar.Archive
	lines   []line
}

// line is a command with what it is to print; word is "" for anything else.
type line struct {
	number int
	text   string
	word   string
	args   []string
	block  []string
}

func readScript(t *testing.T, file string) *script {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{file: file, archive: txtar.Parse(data)}
	for i, text := range strings.Split(strings.TrimRight(string(s.archive.Comment), "\n"), "\n") {
		if rest, ok := strings.CutPrefix(text, "\t"); ok && len(s.lines) > 0 {
			last := &s.lines[len(s.lines)-1]
			last.block = append(last.block, rest)
			continue
		}
		l := line{number: i + 1, text: text}
		if f := strings.Fields(text); len(f) > 0 && !strings.HasPrefix(text, "#") {
			l.word, l.args = f[0], f[1:]
		}
		s.lines = append(s.lines, l)
	}
	return s
}

func (s *script) save(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for _, l := range s.lines {
		b.WriteString(l.text + "\n")
		for _, text := range l.block {
			b.WriteString("\t" + text + "\n")
		}
	}
	s.archive.Comment = []byte(b.String())
	if err := os.WriteFile(s.file, txtar.Format(s.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
