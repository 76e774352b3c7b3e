package hostile

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// attack is a project that means harm, and what is to be said of it.
type attack struct {
	name string
	make func(t *testing.T, dir string)
	want agent.Reason
	says string // regexp
}

// fields of a manifest that is valid, but for what is changed.
func fields(id string, pairs ...string) string {
	f := [][2]string{
		{"id", quote(id)},
		{"name", `"hostile"`},
		{"runtime", `"codex"`},
		{"registeredAt", `"2026-01-02T03:04:05.000Z"`},
		{"registeredBy", `"somebody"`},
	}
	for i := 0; i < len(pairs); i += 2 {
		at := -1
		for j := range f {
			if f[j][0] == pairs[i] {
				at = j
			}
		}
		if at < 0 {
			f = append(f, [2]string{pairs[i], pairs[i+1]})
			continue
		}
		f[at][1] = pairs[i+1]
	}
	var lines []string
	for _, p := range f {
		if p[1] != "" {
			lines = append(lines, "  "+quote(p[0])+": "+p[1])
		}
	}
	return "{\n" + strings.Join(lines, ",\n") + "\n}\n"
}

func quote(s string) string { return `"` + s + `"` }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, dir, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Join(dir, ".dork"), 0o755))
	must(t, os.WriteFile(manifest(dir), []byte(text), 0o644))
}

func manifest(dir string) string { return filepath.Join(dir, ".dork", "agent.json") }

// content is an attack by what is in the file.
func content(name, text, says string) attack {
	return attack{name, func(t *testing.T, dir string) { put(t, dir, text) }, agent.ManifestInvalid, says}
}

// special is an attack by what the file is.
func special(name, says string, make func(path string) error) attack {
	return attack{name, func(t *testing.T, dir string) {
		must(t, os.MkdirAll(filepath.Join(dir, ".dork"), 0o755))
		must(t, make(manifest(dir)))
	}, agent.ManifestInvalid, says}
}

const place = `line \d+, column \d+`

func attacks() []attack {
	list := []attack{
		special("fifo", "regular", func(p string) error { return unix.Mkfifo(p, 0o644) }),
		special("socket", "regular", func(p string) error { return unix.Mknod(p, unix.S_IFSOCK|0o644, 0) }),
		special("sparse", "1 MiB|1048576|big|large", func(p string) error {
			f, err := os.Create(p)
			if err != nil {
				return err
			}
			defer f.Close()
			return f.Truncate(8 << 30)
		}),
		special("directory", "regular", func(p string) error { return os.Mkdir(p, 0o755) }),
		special("link to a secret", "link", func(p string) error { return os.Symlink("/etc/passwd", p) }),
		special("link to itself", "link", func(p string) error { return os.Symlink("agent.json", p) }),
		special("link to nothing", "link", func(p string) error { return os.Symlink("nothing", p) }),
		{"linked .dork", func(t *testing.T, dir string) {
			put(t, dir+"-elsewhere", fields("linked"))
			must(t, os.MkdirAll(dir, 0o755))
			must(t, os.Rename(filepath.Join(dir+"-elsewhere", ".dork"), filepath.Join(dir, "real")))
			must(t, os.Symlink("real", filepath.Join(dir, ".dork")))
		}, agent.ManifestInvalid, "link"},
		content("empty", "", place),
		content("not JSON", "hello", place),
		content("cut off", `{"id": "cut",`, place),
		content("array", "[]", "object|"+place),
		content("null", "null", "object|"+place),
		content("deep", `{"id":"deep","x":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+"}", place),
		content("duplicate keys", fields("dup1", "name", `"a", "name": "b"`), place+".*name|name.*"+place),
		content("duplicate id", fields("dup2", "name", `"a", "id": "victim"`), place+".*id|id.*"+place),
		content("case variant", fields("case1", "ID", `"victim"`), "ID"),
		content("byte order mark", "\ufeff"+fields("bom"), "mark|BOM|"+place),
		content("invalid UTF-8", fields("utf8", "name", "\"\xff\xfe\""), "UTF-8"),
		content("lone surrogate", fields("lone", "name", `"\ud800"`), place),
		content("trailing bytes", fields("trail")+"{}", place),
		content("NUL", fields("nul")+"\x00", place),
		content("too big", fields("big", "persona", quote(strings.Repeat("x", 2<<20))), "1 MiB|1048576|big|large"),
		content("amplified", fields("amp", "capabilities", "["+strings.Repeat(`"a",`, 200_000)+`"a"]`), "capabilities"),
		content("no id", fields("x", "id", ""), "id"),
		content("empty id", fields(""), "id"),
		content("dotted id", fields("a.b"), "id"),
		content("star", fields("*"), "id"),
		content("greater", fields(">"), "id"),
		content("traversal", fields("../../../../etc/cron.d/x"), "id"),
		content("long id", fields(strings.Repeat("x", 300)), "id"),
		content("spaced id", fields("a b"), "id"),
		content("numeric id", fields("x", "id", "7"), "id"),
		content("bad runtime", fields("runtime", "runtime", `"evil"`), "runtime"),
		content("no name", fields("noname", "name", ""), "name"),
		content("bad time", fields("time", "registeredAt", `"yesterday"`), "registeredAt"),
		content("namespace of nothing", fields("ns1", "namespace", `"***"`), "namespace"),
		content("long namespace", fields("ns2", "namespace", quote(strings.Repeat("n", 65))), "namespace"),
		content("reserved namespace", fields("ns3", "namespace", `"core"`), "namespace"),
		content("long persona", fields("persona", "persona", quote(strings.Repeat("p", 4001))), "persona"),
		{"case twin", func(t *testing.T, dir string) { put(t, dir, fields("chief")) }, agent.DuplicateID, "letter case"},
		{"hard link", func(t *testing.T, dir string) {
			must(t, os.MkdirAll(filepath.Join(dir, ".dork"), 0o755))
			must(t, os.Link(manifest(filepath.Join(filepath.Dir(filepath.Dir(dir)), "ns2", "good-0002")), manifest(dir)))
		}, agent.DuplicateID, "copy"},
		{"copy", func(t *testing.T, dir string) { put(t, dir, fields("good-0003")) }, agent.DuplicateID, "copy"},
	}
	if os.Getuid() == 0 {
		list = append(list, special("device", "regular", func(p string) error {
			return unix.Mknod(p, unix.S_IFCHR|0o644, int(unix.Mkdev(1, 5))) // zeros without end
		}))
	}
	return list
}

// plant makes n attacks below root and returns where each is.
func plant(t *testing.T, root string, n int) map[string]attack {
	t.Helper()
	kinds := attacks()
	if n < len(kinds) {
		t.Fatalf("%d kinds do not fit", len(kinds))
	}
	where := map[string]attack{}
	for i := range n {
		a := kinds[i%len(kinds)]
		dir := filepath.Join(root, fmt.Sprintf("%03d-%s", i, strings.ReplaceAll(a.name, " ", "-")))
		a.make(t, dir)
		where[dir] = a
	}
	return where
}

func (a *attack) matches(message string) bool { return regexp.MustCompile(a.says).MatchString(message) }
