package main

import (
	"path/filepath"
	"strings"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// target is an argument ID|PATH as the controller takes it: an id as it is, a
// path real and absolute. A word that could be an id is one.
func target(arg string) (string, error) {
	if agent.ID(arg).Valid() {
		return arg, nil
	}
	if arg == "" {
		return "", usagef("name an agent by its id, or by its project directory", "an argument is empty")
	}
	path, err := filepath.Abs(arg)
	if err != nil {
		return "", err
	}
	path = strings.TrimSuffix(path, filepath.FromSlash("/agent.json"))
	path = strings.TrimSuffix(path, filepath.FromSlash("/.dork"))
	return daemon.RealPath(path), nil
}

// projectPath is an argument PATH: absolute and real, as far as it is there.
func projectPath(arg string) (string, error) {
	if arg == "" {
		return "", usagef("name a project directory", "an argument is empty")
	}
	path, err := filepath.Abs(arg)
	if err != nil {
		return "", err
	}
	path = strings.TrimSuffix(path, filepath.FromSlash("/.dork/agent.json"))
	if filepath.Base(path) == ".dork" {
		return "", usagef("write "+filepath.Dir(path)+", if that is what you mean", "%s is no project directory", path)
	}
	return daemon.RealPath(path), nil
}

func targets(args []string) ([]string, error) {
	out := make([]string, 0, len(args))
	for _, arg := range args {
		t, err := target(arg)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}
