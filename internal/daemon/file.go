package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the configuration file in bytes: a wrong path must not be read
// whole into memory.
const maxFile = 1 << 20

// readFile reads the configuration file into values by setting. A file that
// was named must be there; the default one may be absent.
func (in *Input) readFile(s *Settings, bad *SettingsError) map[string]given {
	path, namedBy, err := in.configFile()
	if err != nil {
		bad.Problems = append(bad.Problems, SettingProblem{Source: namedBy, Message: err.Error()})
	}
	if path == "" {
		return nil
	}
	data, err := readCapped(path)
	if errors.Is(err, fs.ErrNotExist) && namedBy == "" {
		return nil
	}
	if err != nil {
		bad.Problems = append(bad.Problems, unreadable(path, namedBy, err))
		return nil
	}
	s.File = path
	values, problems := parseFile(path, data)
	bad.Problems = append(bad.Problems, problems...)
	return values
}

// configFile is the file to read and the flag or variable that names it, ""
// for the default one.
func (in *Input) configFile() (path, namedBy string, err error) {
	if given, ok := in.Flags["config"]; ok {
		path, namedBy = given[len(given)-1], "--config"
	} else if env, ok := in.LookupEnv(envName("config")); ok && env != "" {
		path, namedBy = env, envName("config")
	}
	if namedBy != "" {
		if path == "" {
			return "", namedBy, errors.New("is empty: name a file")
		}
		path, err = in.absolute(path, in.Dir)
		return path, namedBy, err
	}
	return in.defaultFile(), "", nil
}

func (in *Input) defaultFile() string {
	if dir, ok := in.LookupEnv("XDG_CONFIG_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "mesh-controller", "config.yaml")
	}
	home, err := in.home()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".config", "mesh-controller", "config.yaml")
}

func readCapped(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errors.New("is larger than 1 MiB")
	}
	return data, err
}

func unreadable(path, namedBy string, err error) SettingProblem {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	p := SettingProblem{Source: path, Message: err.Error()}
	if namedBy != "" {
		p.Source, p.Message = namedBy, path+": "+p.Message
	}
	p.Hint = "name a readable YAML file with --config, or leave the flag out"
	return p
}

// parseFile reads a YAML mapping of settings, strictly: an unknown key, a key
// that stands twice and a value of another shape are problems.
func parseFile(path string, data []byte) (map[string]given, []SettingProblem) {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, []SettingProblem{syntaxProblem(path, err)}
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, []SettingProblem{{Source: path, Message: "holds more than one document"}}
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, []SettingProblem{{Source: at(path, root.Line), Message: "must be a mapping of settings, as in `resync-interval: 5m`"}}
	}
	return parseMapping(path, root)
}

func parseMapping(path string, root *yaml.Node) (map[string]given, []SettingProblem) {
	values := map[string]given{}
	seen := map[string]int{}
	known := map[string]Setting{}
	for _, s := range Table() {
		known[s.Name] = s
	}
	var bad []SettingProblem
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, node := root.Content[i], root.Content[i+1]
		source := at(path, key.Line)
		setting, ok := known[key.Value]
		if !ok {
			bad = append(bad, unknownKey(source, key.Value))
			continue
		}
		if line, twice := seen[key.Value]; twice {
			bad = append(bad, SettingProblem{key.Value, source, fmt.Sprintf("%s stands already in line %d", key.Value, line), "keep one of them"})
			continue
		}
		seen[key.Value] = key.Line
		texts, err := nodeTexts(node, setting.IsList())
		if err != nil {
			bad = append(bad, SettingProblem{key.Value, source, key.Value + ": " + err.Error(), ""})
			continue
		}
		if texts != nil {
			values[key.Value] = given{texts, FromFile, source, filepath.Dir(path)}
		}
	}
	return values, bad
}

// nodeTexts is the value's text; nil for null, which is as good as no line.
func nodeTexts(n *yaml.Node, list bool) ([]string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil, nil
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}, nil
	case n.Kind == yaml.SequenceNode && list:
		texts := []string{}
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("must be a list of plain values")
			}
			texts = append(texts, item.Value)
		}
		return texts, nil
	case list:
		return nil, errors.New("must be a list")
	}
	return nil, errors.New("must be one plain value")
}

func unknownKey(source, key string) SettingProblem {
	names := make([]string, 0, 32)
	for _, s := range Table() {
		names = append(names, s.Name)
	}
	near := Nearest(key, names)
	return SettingProblem{
		Source:  source,
		Message: fmt.Sprintf("unknown key %q: did you mean %q?", key, near),
		Hint:    fmt.Sprintf("write %s, or take the line out; the keys are the flags' names", near),
	}
}

// syntaxProblem moves the line that the YAML reader names to where ours stand.
func syntaxProblem(path string, err error) SettingProblem {
	p := SettingProblem{Source: path, Message: err.Error(), Hint: "the file must be YAML: `key: value` lines"}
	if m := regexp.MustCompile(`^yaml: line (\d+): (.*)$`).FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		p.Source, p.Message = at(path, line), m[2]
	}
	return p
}

func at(path string, line int) string { return path + ":" + strconv.Itoa(line) }
