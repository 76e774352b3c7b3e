package sources

import "strings"

// walked reports whether a directory of this name is walked. Everything else
// below a root is somebody's cache, dependency or backup. A configured root is
// walked whatever its name.
func walked(name []byte) bool {
	if name[0] == '.' {
		return ownDotDir(name)
	}
	switch string(name) {
	case "node_modules", "vendor", "Library", "AppData", "dist", "build", "__pycache__", "venv":
		return false
	}
	return !strings.Contains(string(name), ".dorkos-bak-")
}

// ownDotDir reports whether the name is a dot-directory that agent tools keep
// projects in. It leaves out .git .Trash .cache .npm .nvm .local .cargo .rustup
// .venv .tox, .dork itself and every other.
func ownDotDir(name []byte) bool {
	switch string(name) {
	case ".claude", ".cursor", ".codex", ".windsurf", ".gemini", ".cline", ".clinerules", ".roo",
		".amazonq", ".continue", ".augment", ".aiassistant", ".kilocode", ".trae":
		return true
	}
	return false
}
