package story

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// path of the story, below the world's directory.
func (s *story) path(rel string) string { return filepath.Join(s.w.Dir, rel) }

func (s *story) manifestPath(dir string) string { return s.path(dir + "/.dork/agent.json") }

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *story) put(path string, data []byte) {
	s.Helper()
	s.must(os.MkdirAll(filepath.Dir(path), 0o755))
	s.must(os.WriteFile(path, data, 0o644))
}

func (s *story) putJSON(dir string, fields map[string]any) {
	s.Helper()
	data, err := json.MarshalIndent(fields, "", "  ")
	s.must(err)
	s.put(s.manifestPath(dir), append(data, '\n'))
}

func doManifest(s *story, args []string) []string {
	fields := map[string]any{
		"id": args[1], "name": filepath.Base(args[0]), "runtime": "codex",
		"registeredAt": "2026-01-02T03:04:05.000Z", "registeredBy": "somebody",
	}
	s.setFields(fields, args[2:])
	s.putJSON(args[0], fields)
	return nil
}

// setFields reads K=V; a V that is JSON is taken as such, none removes K.
func (s *story) setFields(fields map[string]any, pairs []string) {
	s.Helper()
	for _, pair := range pairs {
		k, v, ok := strings.Cut(pair, "=")
		if !ok {
			s.Fatalf("%q is not K=V", pair)
		}
		var parsed any
		switch {
		case v == "":
			delete(fields, k)
		case json.Unmarshal([]byte(v), &parsed) == nil:
			fields[k] = parsed
		default:
			fields[k] = v
		}
	}
}

func doEdit(s *story, args []string) []string {
	data, err := os.ReadFile(s.manifestPath(args[0]))
	s.must(err)
	fields := map[string]any{}
	s.must(json.Unmarshal(data, &fields))
	s.setFields(fields, args[1:])
	s.putJSON(args[0], fields)
	return nil
}

func doWrite(s *story, args []string) []string {
	for _, f := range s.archive.Files {
		if f.Name == args[0] {
			s.put(s.path(f.Name), f.Data)
			return nil
		}
	}
	s.Fatalf("%s is not in the archive", args[0])
	return nil
}

func doCorrupt(s *story, args []string) []string {
	s.put(s.manifestPath(args[0]), []byte("{\"id\": \"A\",\n  \"name\": oops}\n"))
	return nil
}

func doMove(s *story, args []string) []string {
	s.must(os.MkdirAll(filepath.Dir(s.path(args[1])), 0o755))
	s.must(os.Rename(s.path(args[0]), s.path(args[1])))
	return nil
}

func doCopy(s *story, args []string) []string {
	s.must(os.MkdirAll(filepath.Dir(s.path(args[1])), 0o755))
	if out, err := exec.Command("cp", "-r", s.path(args[0]), s.path(args[1])).CombinedOutput(); err != nil {
		s.Fatalf("cp: %v\n%s", err, out)
	}
	return nil
}

func doRemove(s *story, args []string) []string {
	if _, err := os.Lstat(s.path(args[0])); err != nil {
		s.Fatal(err)
	}
	s.must(os.RemoveAll(s.path(args[0])))
	return nil
}

func doMkdir(s *story, args []string) []string {
	s.must(os.MkdirAll(s.path(args[0]), 0o755))
	return nil
}

// doWorktree makes what git would: a file .git that points into the main
// checkout's repository.
func doWorktree(s *story, args []string) []string {
	main, linked := args[0], args[1]
	s.must(os.MkdirAll(s.path(main+"/.git/worktrees/linked"), 0o755))
	doCopy(s, []string{main, linked})
	s.must(os.RemoveAll(s.path(linked + "/.git")))
	s.put(s.path(linked+"/.git"), []byte("gitdir: "+s.path(main)+"/.git/worktrees/linked\n"))
	return nil
}

func doUnreadable(s *story, args []string) []string {
	s.faults.set(s.path(args[0]), true)
	return nil
}

func doUnlisted(s *story, _ []string) []string { return s.lists(false) }
func doListed(s *story, _ []string) []string   { return s.lists(true) }

func (s *story) lists(whole bool) []string {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.unlisted = !whole
	return nil
}

func doReadable(s *story, args []string) []string {
	s.faults.set(s.path(args[0]), false)
	return nil
}

func doMail(s *story, args []string) []string {
	boxes, err := filepath.Glob(s.path("home/relay/mailboxes/relay.agent.*." + args[0]))
	s.must(err)
	if len(boxes) != 1 {
		s.Fatalf("mailboxes of %s: %v", args[0], boxes)
	}
	s.must(os.WriteFile(filepath.Join(boxes[0], "new", args[1]), []byte(`{"text":"`+args[1]+`"}`), 0o644))
	return nil
}
