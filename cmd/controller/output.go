package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// format is how data is printed.
type format string

const (
	formatTable format = "table"
	formatWide  format = "wide"
	formatJSON  format = "json"
	formatYAML  format = "yaml"
)

func formats() []string {
	return []string{string(formatTable), string(formatWide), string(formatJSON), string(formatYAML)}
}

// The methods of pflag.Value.

func (f *format) Set(text string) error {
	if !slices.Contains(formats(), text) {
		return fmt.Errorf("must be one of %s", strings.Join(formats(), ", "))
	}
	*f = format(text)
	return nil
}

func (f *format) String() string { return string(*f) }
func (f *format) Type() string   { return "format" }

// print writes v to the standard output, see printTo.
func (a *app) print(v any, text func(w io.Writer)) error { return a.printTo(a.stdout, v, text) }

// printTo writes v as JSON or YAML, or calls text for the forms for people.
// Either all of it is written or nothing.
func (a *app) printTo(w io.Writer, v any, text func(w io.Writer)) error {
	var out bytes.Buffer
	switch a.output {
	case formatJSON:
		if err := writeJSON(&out, v, "  "); err != nil {
			return err
		}
	case formatYAML:
		if err := writeYAML(&out, v); err != nil {
			return err
		}
	default:
		text(&out)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func writeJSON(w io.Writer, v any, indent string) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	return enc.Encode(v)
}

// writeYAML writes what JSON would say, with the keys in the same order.
func writeYAML(w io.Writer, v any) error {
	var buf bytes.Buffer
	if err := writeJSON(&buf, v, ""); err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(buf.Bytes(), &doc); err != nil {
		return err
	}
	plain(&doc)
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return err
	}
	return enc.Close()
}

// plain drops the braces and quotes of JSON; quotes that YAML needs come back.
func plain(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		plain(c)
	}
}
