package samples

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func inode(info fs.FileInfo) string {
	return strconv.FormatUint(info.Sys().(*syscall.Stat_t).Ino, 10)
}

// readRules are the entries of the rules file, each as it is written.
func (s *sample) readRules() []json.RawMessage {
	s.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "home/relay/access-rules.json"))
	if err != nil {
		s.Fatal(err)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		s.Fatal(err)
	}
	return list
}

// ours are the exact rules of every namespace that the page names.
func (s *sample) ours() map[agent.Rule]string {
	rules := map[agent.Rule]string{}
	for ns := range s.rules {
		for _, r := range append(agent.BaseRules(ns), agent.SystemRules(ns)...) {
			rules[r] = ns
		}
	}
	return rules
}

// foreignRules are the others, in their order and with every byte.
func (s *sample) foreignRules() []string {
	s.Helper()
	ours := s.ours()
	list := []string{}
	for _, raw := range s.readRules() {
		var r agent.Rule
		if err := json.Unmarshal(raw, &r); err != nil {
			s.Fatal(err)
		}
		if ours[r] == "" || strings.Contains(string(raw), "note") {
			list = append(list, string(raw))
		}
	}
	return list
}

func (s *sample) checkRules() {
	s.Helper()
	ours := s.ours()
	count := map[string]int{}
	for _, raw := range s.readRules() {
		var r agent.Rule
		if err := json.Unmarshal(raw, &r); err != nil {
			s.Fatal(err)
		}
		if ns := ours[r]; ns != "" {
			count[ns]++
		}
	}
	for ns, want := range s.rules {
		if count[ns] != want {
			s.Errorf("namespace %s has %d rules, want %d", ns, count[ns], want)
		}
	}
}

// checkLetters finds each letter in new/ of its mailbox.
func (s *sample) checkLetters() {
	s.Helper()
	for _, l := range s.letters {
		path := filepath.Join(s.dir, "home/relay/mailboxes", l["mailbox afterwards"], "new", l["file"])
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			s.Errorf("letter %s: %v", l["file"], err)
		}
	}
}

// checkMailboxes compares the mailboxes of each agent.
func (s *sample) checkMailboxes() {
	s.Helper()
	for _, a := range s.agents {
		found, err := filepath.Glob(filepath.Join(s.dir, "home/relay/mailboxes", "relay.agent.*."+a["id"]))
		if err != nil {
			s.Fatal(err)
		}
		want := filepath.Join(s.dir, "home/relay/mailboxes", string(agent.SubjectOf(a["namespace"], agent.ID(a["id"]))))
		switch a["box"] {
		case "yes":
			if !slices.Equal(found, []string{want}) {
				s.Errorf("mailboxes of %s: %v, want %s", a["agent"], found, want)
				continue
			}
			for _, sub := range []string{"tmp", "new", "cur", "failed"} {
				if info, err := os.Stat(filepath.Join(want, sub)); err != nil || !info.IsDir() {
					s.Errorf("mailbox of %s: %v", a["agent"], err)
				}
			}
		case "no":
			if len(found) > 0 {
				s.Errorf("mailboxes of %s: %v, want none", a["agent"], found)
			}
		case "any":
			if len(found) > 1 || len(found) == 1 && found[0] != want {
				s.Errorf("mailboxes of %s: %v, want %s or none", a["agent"], found, want)
			}
		}
	}
}
