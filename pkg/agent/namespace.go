package agent

import (
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf16"
)

// MaxNamespace bounds a namespace, in UTF-16 units before and bytes after
// normalising.
const MaxNamespace = 64

// DefaultNamespace is used where neither the manifest nor the path yields one.
const DefaultNamespace = "default"

// NormalizeNamespace lower-cases, turns every UTF-16 unit outside [a-z0-9-]
// into "-", collapses runs, trims the ends and keeps clear of the names of
// runtimes. It reports false where nothing usable is left: empty, or over
// MaxNamespace.
func NormalizeNamespace(s string) (string, bool) {
	var b strings.Builder
	dash := false
	for _, r := range lowerLikeJS(s) {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
			continue
		}
		dash = true
	}
	n := b.String()
	switch n {
	case "claude-code", "codex", "opencode", "test-mode":
		n += "-ns"
	}
	return n, n != "" && len(n) <= MaxNamespace
}

// IsNamespace reports whether s is a namespace in its normalised form, the only
// one that has addresses and rules.
func IsNamespace(s string) bool {
	n, ok := NormalizeNamespace(s)
	return ok && n == s
}

// lowerLikeJS lower-cases as JavaScript does as far as [a-z0-9-] can tell. Two
// letters outside ASCII become letters of that set: the Kelvin sign is "k", and
// the dotted capital I is "i" with a combining dot, two characters.
func lowerLikeJS(s string) string {
	return strings.Map(unicode.ToLower, strings.ReplaceAll(s, "\u0130", "i\u0307"))
}

// UTF16Length counts as JavaScript's String.length does.
func UTF16Length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// Blank reports whether s is empty or only what JavaScript's trim removes,
// which differs from Unicode's white space in two characters.
func Blank(s string) bool {
	return strings.TrimFunc(s, func(r rune) bool {
		return r == '\ufeff' || r != '\u0085' && unicode.IsSpace(r)
	}) == ""
}

// DeriveNamespace is the namespace of a project that names none: the first
// path segment below root, else (at the root, or without one) the directory's
// own name, else DefaultNamespace.
func DeriveNamespace(path, root string) string {
	if root != "" && path != root && Within(path, root) {
		rel := strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
		first, _, _ := strings.Cut(rel, "/")
		if n, ok := NormalizeNamespace(first); ok {
			return n
		}
	}
	if n, ok := NormalizeNamespace(filepath.Base(path)); ok {
		return n
	}
	return DefaultNamespace
}

// ResolveNamespace is the namespace of a manifest at path below root. It
// reports false when the manifest names one that is not usable.
func ResolveNamespace(m *Manifest, path, root string) (string, bool) {
	if !Blank(m.Namespace) {
		return NormalizeNamespace(m.Namespace)
	}
	return DeriveNamespace(path, root), true
}

// Within reports whether path is root or lies below it. Both are clean and
// absolute.
func Within(path, root string) bool {
	if root == "/" {
		return strings.HasPrefix(path, "/")
	}
	return path == root || strings.HasPrefix(path, root) && path[len(root)] == '/'
}

// EffectiveRoot is the root that a path's namespace is derived from: the
// managed home when the path lies in it, else the longest configured root that
// contains it, else the longest recorded one, else "".
func EffectiveRoot(path, managed string, configured, recorded []string) string {
	if managed != "" && Within(path, managed) {
		return managed
	}
	if r := longest(path, configured); r != "" {
		return r
	}
	return longest(path, recorded)
}

func longest(path string, roots []string) string {
	best := ""
	for _, r := range roots {
		if len(r) > len(best) && Within(path, r) {
			best = r
		}
	}
	return best
}
