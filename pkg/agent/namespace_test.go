package agent_test

import (
	"strings"
	"testing"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

func TestNormalizeNamespace(t *testing.T) {
	for in, want := range map[string]string{
		"My Project":            "my-project",
		"--a--b--":              "a-b",
		"a.b":                   "a-b",
		"test_mode":             "test-mode-ns",
		"test-mode":             "test-mode-ns",
		"test-mode-ns":          "test-mode-ns",
		"Codex":                 "codex-ns",
		"claude code":           "claude-code-ns",
		"opencode":              "opencode-ns",
		"opencode2":             "opencode2",
		".dork":                 "dork",
		"a😀b":                   "a-b",
		"a\xffb":                "a-b",
		"relay.agent.>":         "relay-agent",
		"\u212aelvin":           "kelvin",
		"\u0130stanbul":         "i-stanbul",
		"x\u0130":               "xi",
		strings.Repeat("a", 64): strings.Repeat("a", 64),
		"ÅÄÖ":                   "",
		"日本":                    "",
		"...":                   "",
		"":                      "",
		"-":                     "",
	} {
		got, ok := agent.NormalizeNamespace(in)
		if got != want || ok != (want != "") {
			t.Errorf("NormalizeNamespace(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
	if _, ok := agent.NormalizeNamespace(strings.Repeat("a", 65)); ok {
		t.Error("65 bytes are usable")
	}
}

func TestBlank(t *testing.T) {
	for in, want := range map[string]bool{
		"": true, " \t\r\n\v\f": true, "\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000\ufeff": true,
		"x": false, " x ": false, "\u0085": false, "\u200b": false, "\u180e": false, "\x00": false,
	} {
		if got := agent.Blank(in); got != want {
			t.Errorf("Blank(%q) = %v", in, got)
		}
	}
}

func TestUTF16Length(t *testing.T) {
	for in, want := range map[string]int{"": 0, "abc": 3, "é": 1, "日本": 2, "😀": 2, "\xff": 1} {
		if got := agent.UTF16Length(in); got != want {
			t.Errorf("UTF16Length(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestDeriveNamespace(t *testing.T) {
	long := strings.Repeat("a", 65)
	for _, c := range []struct{ name, path, root, want string }{
		{"first segment below the root", "/home/u/code/Team A/billing", "/home/u/code", "team-a"},
		{"directly below the root", "/home/u/code/billing", "/home/u/code", "billing"},
		{"the root itself", "/home/u/code", "/home/u/code", "code"},
		{"root of the file system", "/srv/x/y", "/", "srv"},
		{"no root", "/home/u/code/Billing", "", "billing"},
		{"outside the root", "/opt/tool", "/home/u", "tool"},
		{"a sibling with the root's name in front", "/home/u/code2/x", "/home/u/code", "x"},
		{"a segment that is not usable", "/code/日本/billing", "/code", "billing"},
		{"a segment that is too long", "/code/" + long + "/billing", "/code", "billing"},
		{"nothing usable", "/code/日本", "/code", "default"},
		{"a runtime's name", "/code/codex", "/code", "codex-ns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := agent.DeriveNamespace(c.path, c.root); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestResolveNamespace(t *testing.T) {
	for _, c := range []struct {
		name, namespace, want string
		ok                    bool
	}{
		{"named", "My Team", "my-team", true},
		{"empty", "", "code", true},
		{"blank", " \t\ufeff", "code", true},
		{"not usable", "...", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &agent.Manifest{Namespace: c.namespace}
			if got, ok := agent.ResolveNamespace(m, "/x/code", "/x"); got != c.want || ok != c.ok {
				t.Errorf("got %q, %v; want %q, %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		path, root string
		want       bool
	}{
		{"/a/b", "/a", true},
		{"/a", "/a", true},
		{"/ab", "/a", false},
		{"/a", "/a/b", false},
		{"/a", "/", true},
		{"/", "/", true},
	} {
		if got := agent.Within(c.path, c.root); got != c.want {
			t.Errorf("Within(%q, %q) = %v", c.path, c.root, got)
		}
	}
}

func TestEffectiveRoot(t *testing.T) {
	const managed = "/home/u/.dork/agents"
	for _, c := range []struct {
		name, path           string
		configured, recorded []string
		want                 string
	}{
		{"managed home first", managed + "/bot", []string{"/home/u", managed + "/bot"}, nil, managed},
		{"longest configured", "/home/u/code/x", []string{"/home/u", "/home/u/code", "/opt"}, []string{"/home/u/code/x"}, "/home/u/code"},
		{"longest recorded", "/srv/a/b", []string{"/home/u"}, []string{"/srv", "/srv/a"}, "/srv/a"},
		{"none", "/srv/a", []string{"/home/u"}, []string{"/opt", ""}, ""},
		{"not by prefix alone", "/home/u/code2", []string{"/home/u/code"}, nil, ""},
		{"the file system", "/srv/a", []string{"/"}, nil, "/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := agent.EffectiveRoot(c.path, managed, c.configured, c.recorded); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := agent.EffectiveRoot("/a", "", nil, nil); got != "" {
		t.Errorf("without any root: %q", got)
	}
}
