package daemon

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parse reads the texts given for s into c. Of several texts the last counts,
// unless the setting is a list. dir is what relative paths are relative to.
func (s *Setting) parse(c *Config, texts []string, dir string, in *Input) error {
	if list, ok := s.bind(c).(*[]string); ok {
		return s.parseList(list, texts, dir, in)
	}
	text := texts[len(texts)-1]
	if text == "" && !s.empty {
		return errors.New("is empty")
	}
	if err := s.parseText(c, text, dir, in); err != nil {
		return err
	}
	if s.check != nil {
		if err := s.check(c); err != nil {
			return fmt.Errorf("%q is not allowed: %w", text, err)
		}
	}
	if len(s.Choices) > 0 && !slices.Contains(s.Choices, text) {
		return fmt.Errorf("%q is not one of %s", text, strings.Join(s.Choices, ", "))
	}
	return nil
}

func (s *Setting) parseText(c *Config, text, dir string, in *Input) error {
	var err error
	switch p := s.bind(c).(type) {
	case *string:
		*p = text
		if s.path && text != "" {
			*p, err = in.absolute(text, dir)
		}
	case *time.Duration:
		*p, err = parseDuration(text)
	case *int:
		if *p, err = strconv.Atoi(text); err != nil {
			err = fmt.Errorf("%q is not a whole number", text)
		}
	case *float64:
		if *p, err = strconv.ParseFloat(text, 64); err != nil {
			err = fmt.Errorf("%q is not a number", text)
		}
	case *bool:
		if *p, err = strconv.ParseBool(text); err != nil {
			err = fmt.Errorf("%q is neither true nor false", text)
		}
	default:
		panic(fmt.Sprintf("setting %s: no parser for %T", s.Name, p))
	}
	return err
}

func (s *Setting) parseList(list *[]string, texts []string, dir string, in *Input) error {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		if t == "" {
			return errors.New("has an empty entry")
		}
		path, err := in.absolute(t, dir)
		if err != nil {
			return err
		}
		out = append(out, path)
	}
	*list = out
	return nil
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: write it like 90s, 5m or 24h", text)
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is not allowed: must not be negative", text)
	}
	return d, nil
}

// value is the effective value as `config view` shows it; nil is none.
func (s *Setting) value(c *Config) any {
	switch p := s.bind(c).(type) {
	case *string:
		if *p == "" && s.path {
			return nil
		}
		return *p
	case *[]string:
		return *p
	case *time.Duration:
		return FormatDuration(*p)
	case *int:
		return *p
	case *float64:
		return *p
	case *bool:
		return *p
	default:
		panic(fmt.Sprintf("setting %s: no printer for %T", s.Name, p))
	}
}

// FormatDuration writes a duration as Go does, without the zero units at its
// end: 24h, 1h30m, 5m, 0s.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// IsList and IsBool tell how the setting's flag is written.
func (s Setting) IsList() bool { _, ok := s.bind(new(Config)).(*[]string); return ok }

// IsBool reports whether the flag may stand without a value.
func (s Setting) IsBool() bool { _, ok := s.bind(new(Config)).(*bool); return ok }

// Placeholder is what stands for the value in a usage text.
func (s Setting) Placeholder() string {
	switch s.bind(new(Config)).(type) {
	case *[]string:
		return "dir"
	case *time.Duration:
		return "duration"
	case *int:
		return "n"
	case *float64:
		return "ratio"
	case *bool:
		return ""
	}
	switch {
	case s.path:
		return "path"
	case len(s.Choices) > 0:
		return "word"
	}
	return "text"
}
