//go:build faults && linux

package faults

import (
	"fmt"
	"os"
	"path/filepath"
)

func agentID(i int) string { return fmt.Sprintf("AGENT%03d", i) }

// ids are those of the first n agents of a fleet.
func ids(n int) (list []string) {
	for i := range n {
		list = append(list, agentID(i))
	}
	return list
}

func manifestOf(project string) string { return filepath.Join(project, ".dork", "agent.json") }

// manifestText is a whole manifest with a description.
func manifestText(id, name, description string) string {
	return fmt.Sprintf(`{"id":%q,"name":%q,"runtime":"codex","namespace":"team","description":%q,`+
		`"registeredAt":"2026-01-02T03:04:05.000Z","registeredBy":"faults","keep":[1,2]}`, id, name, description)
}

// fleet makes n projects at and below a directory: p000 with id AGENT000, ...
func (w *world) fleet(dir string, n int) {
	w.t.Helper()
	for i := range n {
		w.manifest(filepath.Join(dir, fmt.Sprintf("p%03d", i)), agentID(i), "")
	}
}

// manifest writes the one of a project.
func (w *world) manifest(project, id, description string) {
	w.t.Helper()
	w.must(save(project, manifestText(id, filepath.Base(project), description)))
}

// save replaces a manifest as a careful editor does: what was saved outlives a
// power cut.
func save(project, text string) error {
	dir := filepath.Join(project, ".dork")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	temp := filepath.Join(dir, ".agent.json.editor")
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(temp, manifestOf(project))
	}
	for d := dir; err == nil && len(d) >= len(filepath.Dir(project)); d = filepath.Dir(d) {
		err = syncDir(d)
	}
	return err
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
