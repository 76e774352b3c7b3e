package daemon

import "strings"

// SettingsError names every value that cannot be used.
type SettingsError struct{ Problems []SettingProblem }

// SettingProblem is one bad value, or one bad line of the file.
type SettingProblem struct {
	Setting string // "" where the file as a whole is meant
	Source  string // --flag, VARIABLE, or file:line
	Message string
	Hint    string
}

// String reads "where: what".
func (p SettingProblem) String() string { return p.Source + ": " + p.Message }

// Error joins the problems with "; ".
func (e *SettingsError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "; ")
}

// Hint is what to do about the first problem.
func (e *SettingsError) Hint() string {
	for _, p := range e.Problems {
		if p.Hint != "" {
			return p.Hint
		}
	}
	return "run `mesh-controller config view` to see every setting and where its value comes from"
}

func (e *SettingsError) add(s *Setting, g given, err error) {
	p := SettingProblem{Setting: s.Name, Source: g.source, Message: err.Error()}
	if g.origin == FromFile {
		p.Message = s.Name + ": " + p.Message
	}
	p.Hint = s.Name + ": " + s.Doc + " (default " + s.Default + ")"
	e.Problems = append(e.Problems, p)
}
