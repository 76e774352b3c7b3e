package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mesh-controller": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CONFIG_HOME", "")
			e.Setenv("XDG_RUNTIME_DIR", "")
			e.Setenv("DORK_HOME", "")
			e.Setenv("MESH_CONTROLLER_LISTEN_ADDRESS", "") // no port of the machine
			e.Values[daemonsKey{}] = map[string]*running{}
			return nil
		},
		Cmds: commands(),
	})
}
