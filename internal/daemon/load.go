package daemon

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/store"
)

// Origin says which layer a value comes from.
type Origin string

// The layers, weakest first.
const (
	FromDefault     Origin = "default"
	FromFile        Origin = "file"
	FromEnvironment Origin = "environment"
	FromFlag        Origin = "flag"
)

// Input is the world that settings are read from.
type Input struct {
	// Flags that were given, with every value in order. "config" names the file.
	Flags map[string][]string
	// LookupEnv is os.LookupEnv outside tests.
	LookupEnv func(string) (string, bool)
	// UserHome is os.UserHomeDir outside tests.
	UserHome func() (string, error)
	// Dir is what relative paths are relative to.
	Dir string
	// DefaultDB names the index below a dork home; nil: store.DefaultPath.
	DefaultDB func(dorkHome string) string
}

// Settings are resolved: valid, effective, and each value knows its origin.
type Settings struct {
	Config
	// File that was read, "" for none.
	File string
	// Values in the order of Table.
	Values []Value
	// Warnings about values that are allowed and probably not meant.
	Warnings []string
}

// Value is one setting's effective value.
type Value struct {
	Name   string `json:"name"`
	Value  any    `json:"value"` // string, number, bool, list of strings, or null for none
	Origin Origin `json:"origin"`
	// Source is the flag, the variable or the file's line; null for a default.
	Source *string `json:"source"`
}

// given is a value as it was written somewhere.
type given struct {
	texts  []string
	origin Origin
	source string // how errors name it
	dir    string // base of relative paths
}

// Load resolves every setting: flag over environment over file over default.
// Its error is *SettingsError and names every bad value, not the first alone.
func Load(in Input) (*Settings, error) {
	bad := &SettingsError{}
	s := &Settings{}
	file := in.readFile(s, bad)
	for _, setting := range Table() {
		s.resolve(&setting, &in, file, bad)
	}
	if len(bad.Problems) > 0 {
		return nil, bad
	}
	s.finish(&in)
	return s, nil
}

func (s *Settings) resolve(setting *Setting, in *Input, file map[string]given, bad *SettingsError) {
	v := Value{Name: setting.Name, Origin: FromDefault}
	g, ok := in.find(setting, file)
	var err error
	switch {
	case ok:
		v.Origin, v.Source = g.origin, &g.source
		err = setting.parse(&s.Config, g.texts, g.dir, in)
	case setting.derive != nil:
		g.source = setting.Flag()
		err = setting.derive(&s.Config, in)
	default:
		err = setting.parse(&s.Config, []string{setting.Default}, "", in)
	}
	if err != nil {
		bad.add(setting, g, err)
	}
	s.Values = append(s.Values, v)
}

// finish computes what depends on several settings and prints the values.
func (s *Settings) finish(in *Input) {
	s.Home, _ = in.home()
	if s.Home != "" {
		s.Home = RealPath(s.Home)
	}
	if s.MassMissingHold == 0 { // a hold without length would be none: the default
		s.MassMissingHold = 3 * s.OrphanGrace
	}
	s.settleRoots()
	for i, setting := range Table() {
		s.Values[i].Value = setting.value(&s.Config)
	}
	s.Warnings = s.Config.warnings()
}

// find looks through the layers, strongest first.
func (in *Input) find(s *Setting, file map[string]given) (given, bool) {
	if texts, ok := in.Flags[s.Name]; ok {
		return given{texts, FromFlag, s.Flag(), in.Dir}, true
	}
	if text, ok := in.LookupEnv(s.Env()); ok && (text != "" || s.empty) {
		return given{splitEnv(s, text), FromEnvironment, s.Env(), in.Dir}, true
	}
	if g, ok := file[s.Name]; ok {
		return g, true
	}
	if s.Name == "dork-home" { // DorkOS's own variable
		if text, ok := in.LookupEnv("DORK_HOME"); ok && text != "" {
			return given{[]string{text}, FromEnvironment, "DORK_HOME", in.Dir}, true
		}
	}
	return given{}, false
}

func splitEnv(s *Setting, text string) []string {
	if !s.IsList() {
		return []string{text}
	}
	var out []string
	for t := range strings.SplitSeq(text, ",") {
		out = append(out, strings.TrimSpace(t))
	}
	return out
}

func (in *Input) home() (string, error) {
	home, err := in.UserHome()
	if err != nil || !filepath.IsAbs(home) {
		return "", errors.New("there is no home directory to start from: set HOME, or name the directory")
	}
	return filepath.Clean(home), nil
}

func (in *Input) defaultDB(dorkHome string) string {
	if in.DefaultDB == nil {
		return store.DefaultPath(dorkHome)
	}
	return in.DefaultDB(dorkHome)
}

// Origin tells where the named setting's value comes from.
func (s *Settings) Origin(name string) Origin {
	for _, v := range s.Values {
		if v.Name == name {
			return v.Origin
		}
	}
	return FromDefault
}
