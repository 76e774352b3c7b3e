package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
)

// fields of a manifest that are not the usual ones.
type fields map[string]any

// manifest writes the one of a project, whole and at once, as editors do.
func (w *world) manifest(project, id string, changed fields) {
	w.t.Helper()
	m := fields{
		"id": id, "name": filepath.Base(project), "runtime": "claude-code",
		"registeredAt": "2026-01-02T03:04:05.000Z", "registeredBy": "e2e",
	}
	maps.Copy(m, changed)
	text, err := json.Marshal(m)
	w.must(err)
	w.write(manifestOf(w.project(project)), string(text))
}

// fleet registers n projects in a namespace each: p000 with id AGENT000, ...
func (w *world) fleet(n int) {
	w.t.Helper()
	for i := range n {
		w.manifest(fmt.Sprintf("p%03d", i), agentID(i), nil)
	}
}

func agentID(i int) string { return fmt.Sprintf("AGENT%03d", i) }

func manifestOf(project string) string { return filepath.Join(project, ".dork", "agent.json") }

// write replaces a file by rename and makes the directories above it.
func (w *world) write(path, text string) {
	w.t.Helper()
	w.must(os.MkdirAll(filepath.Dir(path), 0o700))
	w.must(os.WriteFile(path+".new", []byte(text), 0o600))
	w.must(os.Rename(path+".new", path))
}

func (w *world) read(path string) string {
	w.t.Helper()
	text, err := os.ReadFile(path)
	w.must(err)
	return string(text)
}

func (w *world) move(from, to string) {
	w.t.Helper()
	w.must(os.MkdirAll(filepath.Dir(to), 0o700))
	w.must(os.Rename(from, to))
}

func (w *world) remove(path string) {
	w.t.Helper()
	w.must(os.RemoveAll(path))
}

func (w *world) copyProject(from, to string) {
	w.t.Helper()
	w.must(os.CopyFS(w.project(to), os.DirFS(w.project(from))))
}
