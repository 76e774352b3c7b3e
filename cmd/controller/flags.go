package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
)

// settingFlags are the flags of the settings table, kept as they were written:
// a bad value is named together with those of the environment and the file.
type settingFlags []*settingFlag

type settingFlag struct {
	name        string
	placeholder string
	texts       []string
}

func (s *settingFlags) register(flags *pflag.FlagSet) {
	s.add(flags, "config", "file", "configuration file (default $XDG_CONFIG_HOME/mesh-controller/config.yaml)")
	for _, setting := range daemon.Table() {
		f := s.add(flags, setting.Name, setting.Placeholder(), setting.Doc+" (default "+setting.Default+")")
		if setting.IsBool() {
			f.NoOptDefVal = "true"
		}
	}
}

func (s *settingFlags) add(flags *pflag.FlagSet, name, placeholder, usage string) *pflag.Flag {
	f := &settingFlag{name: name, placeholder: placeholder}
	*s = append(*s, f)
	return flags.VarPF(f, name, "", usage)
}

// given returns the flags that were given, with every value.
func (s settingFlags) given() map[string][]string {
	out := map[string][]string{}
	for _, f := range s {
		if f.texts != nil {
			out[f.name] = f.texts
		}
	}
	return out
}

// The methods of pflag.Value.

func (f *settingFlag) Set(text string) error { f.texts = append(f.texts, text); return nil }
func (f *settingFlag) String() string        { return "" }

func (f *settingFlag) Type() string {
	if f.placeholder == "" {
		return "bool"
	}
	return f.placeholder
}

// wantsJSON looks for -o json in arguments that may not parse.
func wantsJSON(args []string) bool {
	wanted := false
	for i, arg := range args {
		if arg == "--" {
			break
		}
		value, ok := outputValue(arg)
		if ok && value == "" && i+1 < len(args) {
			value = args[i+1]
		}
		if ok {
			wanted = value == string(formatJSON)
		}
	}
	return wanted
}

// outputValue is the format that an argument names; "" means that the next one
// does.
func outputValue(arg string) (string, bool) {
	if rest, ok := strings.CutPrefix(arg, "--output"); ok {
		return strings.TrimPrefix(rest, "="), rest == "" || rest[0] == '='
	}
	cluster, ok := strings.CutPrefix(arg, "-")
	if !ok || strings.HasPrefix(cluster, "-") {
		return "", false
	}
	cluster = strings.TrimLeft(cluster, "fhw") // shorthands without a value
	value, ok := strings.CutPrefix(cluster, "o")
	return strings.TrimPrefix(value, "="), ok
}
